<?php

declare(strict_types=1);

/** Programme à suivre au débogueur : il dit la longueur d'un mot, et garde le mot pour lui. */
function longueur(string $temoin): int
{
    return strlen($temoin); // point d'arrêt
}

echo longueur($argv[1]), "\n";
