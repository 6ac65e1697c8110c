<?php

declare(strict_types=1);

namespace App\Journal;

/** Ce qu'on fait d'une licence, et que le journal retient. */
enum Action: string
{
    case Ajout = 'ajout';
    case Retrait = 'retrait';
}
