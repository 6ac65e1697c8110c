<?php

declare(strict_types=1);

namespace App\Journal;

use App\Donnees\ServiceIndisponible;
use App\Web\DateLisible;
use Psr\Log\LoggerInterface;

/**
 * Journal des changements, gardé ici : qui a ajouté ou retiré quelle licence, et quand.
 *
 * Il ne garde que l'id de la licence : ce qu'elle contient reste sur le site distant, et nulle part ailleurs.
 * Un changement y est annoncé avant d'être demandé au site distant, et confirmé après : aucun n'est sans trace.
 */
final readonly class Journal
{
    public const int LIGNES = 50;
    public const int JOURS = 90;

    private const string INSTANT = 'Y-m-d\TH:i:s\Z';

    public function __construct(private Base $base, private LoggerInterface $alertes)
    {
    }

    /**
     * Note qu'un changement va être demandé.
     *
     * @return int le numéro de la ligne, à donner à confirme()
     *
     * @throws ServiceIndisponible si rien ne peut être noté : le changement ne doit pas avoir lieu
     */
    public function annonce(string $compte, Action $action, ?string $licence = null): int
    {
        $maintenant = new \DateTimeImmutable('now', new \DateTimeZone('UTC'));
        try {
            $base = $this->base->liaison();
            // Il nomme des personnes : il ne les garde pas sans fin.
            $base->prepare('DELETE FROM journal WHERE instant < ?')
                ->execute([$maintenant->modify('-'.self::JOURS.' days')->format(self::INSTANT)]);
            $base->prepare('INSERT INTO journal (instant, compte, action, licence) VALUES (?, ?, ?, ?)')
                ->execute([$maintenant->format(self::INSTANT), $compte, $action->value, $licence]);

            return (int) $base->lastInsertId();
        } catch (\PDOException $erreur) {
            throw new ServiceIndisponible('Le journal ne s\'écrit pas : rien n\'a changé.', previous: $erreur);
        }
    }

    /** Note que le site distant a fait le changement. Trop tard pour le refuser : un échec n'est que signalé. */
    public function confirme(int $ligne, string $licence): void
    {
        try {
            $this->base->liaison()->prepare('UPDATE journal SET licence = ?, confirme = 1 WHERE id = ?')
                ->execute([$licence, $ligne]);
        } catch (\PDOException $erreur) {
            $this->alertes->error("Journal : la ligne $ligne (licence $licence) n'est pas confirmée.", [
                'exception' => $erreur,
            ]);
        }
    }

    /**
     * Les derniers changements, le plus récent d'abord.
     *
     * @return list<array{instant: string, date: string, compte: string, action: string, licence: ?string,
     *     confirme: bool}>
     *
     * @throws ServiceIndisponible
     */
    public function derniers(): array
    {
        try {
            $lignes = $this->base->liaison()->query(
                'SELECT instant, compte, action, licence, confirme FROM journal'
                .' ORDER BY id DESC LIMIT '.self::LIGNES,
            )->fetchAll();
        } catch (\PDOException $erreur) {
            throw new ServiceIndisponible('Le journal ne peut pas être lu.', previous: $erreur);
        }

        return array_map(static fn (array $ligne): array => [
            'instant' => $ligne['instant'],
            'date' => DateLisible::de(new \DateTimeImmutable($ligne['instant'])),
            'compte' => $ligne['compte'],
            'action' => $ligne['action'],
            'licence' => $ligne['licence'],
            'confirme' => (bool) $ligne['confirme'],
        ], $lignes);
    }
}
