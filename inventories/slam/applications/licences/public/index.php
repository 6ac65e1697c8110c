<?php

/* Contrôleur frontal : toute requête qui n'est pas celle d'un fichier de ce dossier passe par ici. */

declare(strict_types=1);

use App\Kernel;
use Symfony\Component\HttpFoundation\Request;

require dirname(__DIR__).'/autoload.php';

header_remove('X-Powered-By');
$kernel = new Kernel(Kernel::environnement(), Kernel::environnement() === 'dev');
$requete = Request::createFromGlobals();
$reponse = $kernel->handle($requete);
$reponse->send();
$kernel->terminate($requete, $reponse);
