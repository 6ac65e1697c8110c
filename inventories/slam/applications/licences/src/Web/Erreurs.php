<?php

declare(strict_types=1);

namespace App\Web;

use App\Donnees\SaisieInvalide;
use App\Donnees\ServiceIndisponible;
use Psr\Log\LoggerInterface;
use Symfony\Component\EventDispatcher\Attribute\AsEventListener;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpKernel\Event\ExceptionEvent;
use Symfony\Component\HttpKernel\Exception\HttpExceptionInterface;

/** Toute erreur devient une réponse {"erreur": "…"} ; ce qui n'est pas prévu n'est détaillé que dans le journal. */
#[AsEventListener(priority: 16)]
final readonly class Erreurs
{
    private const array PHRASES = [
        400 => 'La demande n\'est pas valide.',
        404 => 'Cette adresse n\'existe pas.',
        405 => 'Cette méthode n\'est pas admise à cette adresse.',
    ];

    public function __construct(private LoggerInterface $journal)
    {
    }

    public function __invoke(ExceptionEvent $evenement): void
    {
        $erreur = $evenement->getThrowable();
        [$code, $phrase, $entetes] = match (true) {
            $erreur instanceof SaisieInvalide => [400, $erreur->getMessage(), []],
            $erreur instanceof ServiceIndisponible => [503, $erreur->getMessage(), ['Retry-After' => '30']],
            $erreur instanceof HttpExceptionInterface => [
                $erreur->getStatusCode(),
                self::PHRASES[$erreur->getStatusCode()] ?? $erreur->getMessage(),
                $erreur->getHeaders(),
            ],
            default => [500, 'Erreur interne : elle est notée dans le journal.', []],
        };
        if ($code >= 500) {
            $cause = $erreur->getPrevious() ?? $erreur;
            $this->journal->error(sprintf(
                '%d : %s (%s, %s:%d)',
                $code, $cause->getMessage(), $cause::class, basename($cause->getFile()), $cause->getLine(),
            ));
        }
        $evenement->setResponse(new JsonResponse(['erreur' => $phrase], $code, $entetes));
    }
}
