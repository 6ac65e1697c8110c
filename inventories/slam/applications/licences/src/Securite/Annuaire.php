<?php

declare(strict_types=1);

namespace App\Securite;

/** Ce que l'application attend d'un annuaire ; les tests en ont un feint. */
interface Annuaire
{
    /** @throws \App\Donnees\ServiceIndisponible si l'annuaire ne répond pas */
    public function verifie(string $compte, #[\SensitiveParameter] string $motDePasse): Verdict;
}
