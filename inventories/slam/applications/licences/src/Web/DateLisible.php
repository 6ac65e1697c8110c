<?php

declare(strict_types=1);

namespace App\Web;

use CapVoile\Commun\Dates;

/** Un instant, tel qu'on le lit. Le composant commun, installé au déploiement (composer.lock), écrit le jour. */
final class DateLisible
{
    public static function de(\DateTimeImmutable $instant): string
    {
        $ici = $instant->setTimezone(new \DateTimeZone('Europe/Paris'));
        // Un clone n'a pas le composant : il fait sans, en chiffres.
        $jour = class_exists(Dates::class) ? Dates::enToutesLettres($ici) : $ici->format('d/m/Y');

        return $jour.$ici->format(' à H \h i');
    }
}
