<?php

declare(strict_types=1);

namespace App\Controller;

use App\Journal\Journal;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\Routing\Attribute\Route;

/** Qui a changé quoi, pour les utilisateurs ; l'application partenaire n'a pas à le savoir. */
final readonly class JournalController
{
    public function __construct(private Journal $journal)
    {
    }

    #[Route('/api/journal', name: 'journal', methods: ['GET'])]
    public function __invoke(): JsonResponse
    {
        return new JsonResponse($this->journal->derniers());
    }
}
