<?php

declare(strict_types=1);

namespace App\Controller;

use App\Donnees\Licence;
use App\Donnees\SiteDistant;
use App\Securite\Acces;
use App\Web\Recherche;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpKernel\Exception\NotFoundHttpException;
use Symfony\Component\Routing\Attribute\Route;

/** Les licences : lire, ajouter, retirer. */
#[Route('/api/licences')]
final readonly class LicencesController
{
    public function __construct(private SiteDistant $siteDistant)
    {
    }

    #[Route('', name: 'licences_liste', methods: ['GET'], defaults: Acces::SERVICE)]
    public function liste(Request $requete): JsonResponse
    {
        return new JsonResponse($this->siteDistant->liste(Recherche::mot($requete)));
    }

    #[Route('', name: 'licences_ajout', methods: ['POST'])]
    public function ajoute(Request $requete): JsonResponse
    {
        $licence = Licence::depuis($requete->toArray());

        return new JsonResponse($this->siteDistant->ajoute($licence), Response::HTTP_CREATED);
    }

    #[Route('/{id}', name: 'licences_retrait', requirements: ['id' => '[A-Za-z0-9-]{1,64}'], methods: ['DELETE'])]
    public function retire(string $id): Response
    {
        if (!$this->siteDistant->retire($id)) {
            throw new NotFoundHttpException();
        }

        return new Response(status: Response::HTTP_NO_CONTENT);
    }
}
