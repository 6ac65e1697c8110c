<?php

declare(strict_types=1);

namespace App\Controller;

use App\Donnees\Partenaire;
use App\Web\Recherche;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\Routing\Attribute\Route;

/** Les régates, que l'application partenaire connaît. */
final readonly class RegatesController
{
    public function __construct(private Partenaire $partenaire)
    {
    }

    #[Route('/api/regates', name: 'regates', methods: ['GET'])]
    public function __invoke(Request $requete): JsonResponse
    {
        return new JsonResponse($this->partenaire->regates(Recherche::mot($requete)));
    }
}
