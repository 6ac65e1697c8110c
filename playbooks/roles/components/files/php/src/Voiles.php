<?php

declare(strict_types=1);

namespace CapVoile\Commun;

/** Numéros de voile. */
final class Voiles
{
    /**
     * Rend un numéro de voile sous la forme « FRA 12345 ».
     *
     * @throws \InvalidArgumentException ce n'en est pas un (trois lettres de pays, puis un à six chiffres)
     */
    public static function numero(string $texte): string
    {
        if (!preg_match('/^\s*([A-Za-z]{3})[\s-]*([0-9]{1,6})\s*$/D', $texte, $trouve)) {
            throw new \InvalidArgumentException('numéro de voile incompris : ' . $texte);
        }
        return strtoupper($trouve[1]) . ' ' . $trouve[2];
    }
}
