<?php

declare(strict_types=1);

namespace App\Journal;

use Symfony\Component\DependencyInjection\Attribute\Autowire;

/**
 * Fait passer la base locale d'une version de l'application à la suivante.
 *
 * Une migration est un fichier numéroté de migrations/, appliqué en entier ou pas du tout. La base retient le
 * numéro de la dernière (PRAGMA user_version). Une migration livrée ne se modifie plus : on en ajoute une autre.
 */
final readonly class Migrations
{
    public function __construct(
        private Base $base,
        #[Autowire('%kernel.project_dir%/migrations')] private string $dossier,
    ) {
    }

    /**
     * Applique celles qui ne l'ont pas encore été.
     *
     * @return list<string> leurs noms
     *
     * @throws \LogicException si la base est plus récente que l'application, ou s'il manque un numéro
     */
    public function applique(): array
    {
        $fichiers = $this->fichiers();
        if ($this->version() > count($fichiers)) {
            throw new \LogicException(sprintf(
                'La base locale est à la version %d : l\'application, à la version %d, ne sait pas s\'en servir.',
                $this->version(), count($fichiers),
            ));
        }
        $appliquees = [];
        foreach ($fichiers as $numero => $fichier) {
            if ($this->migre($numero, $fichier)) {
                $appliquees[] = basename($fichier);
            }
        }

        return $appliquees;
    }

    public function version(): int
    {
        return (int) $this->base->liaison()->query('PRAGMA user_version')->fetchColumn();
    }

    /** Vrai si elle restait à faire. */
    private function migre(int $numero, string $fichier): bool
    {
        $base = $this->base->liaison();
        // IMMEDIATE réserve la base avant de lire sa version : deux installations simultanées se suivent.
        $base->exec('BEGIN IMMEDIATE');
        try {
            $reste = $this->version() < $numero;
            if ($reste) {
                $base->exec((string) file_get_contents($fichier));
                $base->exec("PRAGMA user_version = $numero");
            }
            $base->exec('COMMIT');
        } catch (\PDOException $erreur) {
            $base->exec('ROLLBACK');
            throw $erreur;
        }

        return $reste;
    }

    /** @return array<int, string> chemin de chaque migration, par numéro : 1, 2, 3… sans trou */
    private function fichiers(): array
    {
        $fichiers = [];
        foreach (glob("$this->dossier/*.sql") ?: [] as $rang => $fichier) {
            if ((int) basename($fichier) !== $rang + 1) {
                throw new \LogicException(basename($fichier).' ne porte pas le numéro '.($rang + 1).'.');
            }
            $fichiers[$rang + 1] = $fichier;
        }

        return $fichiers;
    }
}
