<?php

declare(strict_types=1);

namespace App\Securite;

/** Ce que l'annuaire dit d'un compte et de son mot de passe. */
enum Verdict
{
    case Inconnu;     // compte ou mot de passe faux : on ne dit pas lequel
    case HorsGroupe;  // compte connu, mais pas du groupe qui a droit à l'application
    case Membre;
}
