<?php

declare(strict_types=1);

namespace App\Web;

use App\Donnees\SaisieInvalide;
use Symfony\Component\HttpFoundation\Request;

/** Le mot cherché : paramètre « cherche » de l'adresse. */
final class Recherche
{
    public static function mot(Request $requete): string
    {
        $mot = trim($requete->query->getString('cherche'));
        if (!mb_check_encoding($mot, 'UTF-8') || mb_strlen($mot) > 80 || preg_match('/\p{C}/u', $mot) !== 0) {
            throw new SaisieInvalide('Le mot cherché n\'est pas valide.');
        }

        return $mot;
    }
}
