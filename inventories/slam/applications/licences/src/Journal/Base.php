<?php

declare(strict_types=1);

namespace App\Journal;

use Symfony\Component\DependencyInjection\Attribute\Autowire;

/** La base locale (SQLite), un fichier du dossier où l'application a le droit d'écrire. */
final class Base
{
    // Une autre requête écrit peut-être : on l'attend, mais la réponse doit rester sous les cinq secondes.
    private const int ATTENTE = 1;

    private ?\PDO $liaison = null;

    public function __construct(
        #[Autowire('%env(STATE_DIRECTORY)%/journal.sqlite')] private readonly string $fichier,
    ) {
    }

    /** @throws \PDOException si elle ne s'ouvre pas */
    public function liaison(): \PDO
    {
        return $this->liaison ??= new \PDO("sqlite:$this->fichier", options: [
            \PDO::ATTR_TIMEOUT => self::ATTENTE,
            \PDO::ATTR_DEFAULT_FETCH_MODE => \PDO::FETCH_ASSOC,
        ]);
    }
}
