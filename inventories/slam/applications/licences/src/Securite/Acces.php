<?php

declare(strict_types=1);

namespace App\Securite;

/** Qui a droit à une route ; sans mention, il faut un utilisateur. */
final class Acces
{
    /** À mettre dans les « defaults » d'une route : ouverte à tous. */
    public const array PUBLIC = ['_acces' => 'public'];
    /** Ouverte aux utilisateurs, et à l'application partenaire. */
    public const array SERVICE = ['_acces' => 'service'];
}
