<?php

declare(strict_types=1);

namespace App\Tests;

use App\Donnees\ServiceIndisponible;
use App\Securite\Annuaire;
use App\Securite\Verdict;

/** Annuaire de trois personnes, dont le mot de passe est « bon ». */
final class AnnuaireFeint implements Annuaire
{
    public bool $coupe = false;

    public function verifie(string $compte, #[\SensitiveParameter] string $motDePasse): Verdict
    {
        if ($this->coupe) {
            throw new ServiceIndisponible('L\'annuaire ne répond pas.');
        }

        return match (true) {
            $motDePasse !== 'bon' => Verdict::Inconnu,
            $compte === 'chloe' => Verdict::Membre,
            $compte === 'denis.club' => Verdict::HorsGroupe,
            default => Verdict::Inconnu,
        };
    }
}
