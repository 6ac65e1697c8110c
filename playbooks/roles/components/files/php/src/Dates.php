<?php

declare(strict_types=1);

namespace CapVoile\Commun;

/** Dates écrites en français. */
final class Dates
{
    private const JOURS = ['lundi', 'mardi', 'mercredi', 'jeudi', 'vendredi', 'samedi', 'dimanche'];
    private const MOIS = [
        'janvier', 'février', 'mars', 'avril', 'mai', 'juin',
        'juillet', 'août', 'septembre', 'octobre', 'novembre', 'décembre',
    ];

    /** Rend une date en français : « mardi 14 juillet 2026 », « samedi 1er août 2026 ». */
    public static function enToutesLettres(\DateTimeInterface $jour): string
    {
        return implode(' ', [
            self::JOURS[(int) $jour->format('N') - 1],
            $jour->format('j') === '1' ? '1er' : $jour->format('j'),
            self::MOIS[(int) $jour->format('n') - 1],
            $jour->format('Y'),
        ]);
    }
}
