<?php

declare(strict_types=1);

use App\Noyau;
use Symfony\Component\HttpFoundation\Request;

require_once dirname(__DIR__) . '/amorce.php';

$noyau = new Noyau('dev', true);
$demande = Request::createFromGlobals();
$reponse = $noyau->handle($demande);
$reponse->send();
$noyau->terminate($demande, $reponse);
