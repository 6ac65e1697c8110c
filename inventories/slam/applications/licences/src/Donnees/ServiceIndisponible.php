<?php

declare(strict_types=1);

namespace App\Donnees;

/** Un service dont l'application dépend ne répond pas, ou mal (réponse 503) ; le message est montré à l'utilisateur. */
final class ServiceIndisponible extends \RuntimeException
{
}
