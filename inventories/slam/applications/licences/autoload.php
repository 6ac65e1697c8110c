<?php

/*
 * Chargement automatique des classes : Symfony vient des paquets de Debian (/usr/share/php),
 * nos classes App\… de src/ selon la norme PSR-4 (App\Securite\Jetons → src/Securite/Jetons.php),
 * et le composant commun de là où deploiement/installer.sh l'a mis, s'il y est.
 */

declare(strict_types=1);

require_once 'Symfony/Bundle/FrameworkBundle/autoload.php';
require_once 'Symfony/Component/Console/autoload.php';
require_once 'Symfony/Component/HttpClient/autoload.php';
require_once 'Symfony/Component/Yaml/autoload.php';
// Symfony demande à Composer ce qui est installé ; Debian n'en charge pas la classe d'elle-même.
require_once 'Composer/InstalledVersions.php';

spl_autoload_register(static function (string $classe): void {
    // L'autoload que Composer produirait cacherait à Symfony les paquets de Debian : on s'en passe.
    $composant = (getenv('STATE_DIRECTORY') ?: __DIR__.'/var').'/composants/capvoile/commun/src';
    $dossiers = [
        'App\\Tests\\' => __DIR__.'/tests',
        'App\\' => __DIR__.'/src',
        'CapVoile\\Commun\\' => $composant,
    ];
    foreach ($dossiers as $prefixe => $dossier) {
        if (str_starts_with($classe, $prefixe)) {
            $chemin = strtr(substr($classe, strlen($prefixe)), '\\', '/');
            $fichier = "$dossier/$chemin.php";
            if (is_file($fichier)) {
                require $fichier;
            }

            return;
        }
    }
});
