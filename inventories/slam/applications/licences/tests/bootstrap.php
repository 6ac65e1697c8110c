<?php

/* Avant les tests : chargement des classes, et un dossier de travail qui disparaît à la fin. */

declare(strict_types=1);

use Symfony\Component\Filesystem\Filesystem;

require dirname(__DIR__).'/autoload.php';

$dossier = (string) tempnam(sys_get_temp_dir(), 'licences-');
unlink($dossier);
mkdir($dossier, 0700);
putenv("STATE_DIRECTORY=$dossier");
$_SERVER['STATE_DIRECTORY'] = $dossier; // Symfony lit d'abord là
register_shutdown_function(static fn () => (new Filesystem())->remove($dossier));
