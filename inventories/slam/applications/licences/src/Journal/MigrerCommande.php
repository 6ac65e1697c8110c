<?php

declare(strict_types=1);

namespace App\Journal;

use Symfony\Component\Console\Attribute\AsCommand;
use Symfony\Component\Console\Command\Command;
use Symfony\Component\Console\Input\InputInterface;
use Symfony\Component\Console\Output\OutputInterface;

/** « bin/console app:migrer » : à lancer à chaque déploiement ; sans rien à faire, elle ne fait rien. */
#[AsCommand('app:migrer', 'Met la base locale à la version de l\'application.')]
final class MigrerCommande extends Command
{
    public function __construct(private readonly Migrations $migrations)
    {
        parent::__construct();
    }

    protected function execute(InputInterface $entree, OutputInterface $sortie): int
    {
        foreach ($this->migrations->applique() as $nom) {
            $sortie->writeln("Migration appliquée : $nom");
        }
        $sortie->writeln("Base locale à la version {$this->migrations->version()}.");

        return Command::SUCCESS;
    }
}
