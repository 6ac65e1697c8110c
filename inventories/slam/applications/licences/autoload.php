<?php

/*
 * Chargement automatique des classes : Symfony vient des paquets de Debian (/usr/share/php),
 * nos classes App\… de src/ selon la norme PSR-4 (App\Securite\Jetons → src/Securite/Jetons.php).
 */

declare(strict_types=1);

require_once 'Symfony/Bundle/FrameworkBundle/autoload.php';
require_once 'Symfony/Component/HttpClient/autoload.php';
require_once 'Symfony/Component/Yaml/autoload.php';
// Symfony demande à Composer ce qui est installé ; Debian n'en charge pas la classe d'elle-même.
require_once 'Composer/InstalledVersions.php';

spl_autoload_register(static function (string $classe): void {
    foreach (['App\\Tests\\' => 'tests', 'App\\' => 'src'] as $prefixe => $dossier) {
        if (str_starts_with($classe, $prefixe)) {
            $chemin = strtr(substr($classe, strlen($prefixe)), '\\', '/');
            $fichier = __DIR__."/$dossier/$chemin.php";
            if (is_file($fichier)) {
                require $fichier;
            }

            return;
        }
    }
});
