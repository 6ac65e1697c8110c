<?php

declare(strict_types=1);

namespace App\Donnees;

/** Ce qui est demandé n'est pas valide (réponse 400) ; le message est montré à l'utilisateur. */
final class SaisieInvalide extends \DomainException
{
}
