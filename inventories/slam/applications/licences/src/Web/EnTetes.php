<?php

declare(strict_types=1);

namespace App\Web;

use Symfony\Component\EventDispatcher\Attribute\AsEventListener;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpKernel\Event\ResponseEvent;

/** En-têtes de sécurité de toutes les réponses ; et le JSON garde ses accents, pour qui le lit tel quel. */
#[AsEventListener]
final class EnTetes
{
    // Rien que nos propres fichiers ; aucun code ni style écrit dans la page elle-même.
    private const string CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        ."connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public function __invoke(ResponseEvent $evenement): void
    {
        $reponse = $evenement->getResponse();
        if ($reponse instanceof JsonResponse) {
            $reponse->setEncodingOptions(JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_HEX_TAG);
        }
        $reponse->headers->add([
            'Content-Security-Policy' => self::CSP,
            'X-Content-Type-Options' => 'nosniff',
            'Referrer-Policy' => 'no-referrer',
            'Cache-Control' => 'no-store',
        ]);
    }
}
