<?php

declare(strict_types=1);

namespace CapVoile\Commun;

/** Noms de personnes. */
final class Noms
{
    /** Rend le nom avec une majuscule à chaque mot et sans espace de trop : « LE  goff anne-marie » → « Le Goff Anne-Marie ». */
    public static function normaliser(string $nom): string
    {
        $propre = preg_replace('/\s+/u', ' ', trim($nom));
        return preg_replace_callback(
            '/\p{L}+/u',
            fn (array $mot): string => mb_strtoupper(mb_substr($mot[0], 0, 1)) . mb_strtolower(mb_substr($mot[0], 1)),
            $propre ?? throw new \InvalidArgumentException('le nom n\'est pas en UTF-8'),
        );
    }
}
