<?php

declare(strict_types=1);

namespace App\Controller;

use App\Donnees\Licence;
use App\Donnees\SiteDistant;
use App\Journal\Action;
use App\Journal\Journal;
use App\Securite\Acces;
use App\Securite\VerificationAcces;
use App\Web\Recherche;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpKernel\Exception\NotFoundHttpException;
use Symfony\Component\Routing\Attribute\Route;

/** Les licences : lire, ajouter, retirer. Tout changement est annoncé au journal, puis demandé au site distant. */
#[Route('/api/licences')]
final readonly class LicencesController
{
    public function __construct(private SiteDistant $siteDistant, private Journal $journal)
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

        $ligne = $this->journal->annonce(VerificationAcces::compte($requete), Action::Ajout);
        $enregistree = $this->siteDistant->ajoute($licence);
        $this->journal->confirme($ligne, (string) $enregistree['id']);

        return new JsonResponse($enregistree, Response::HTTP_CREATED);
    }

    #[Route('/{id}', name: 'licences_retrait', requirements: ['id' => '[A-Za-z0-9-]{1,64}'], methods: ['DELETE'])]
    public function retire(string $id, Request $requete): Response
    {
        $ligne = $this->journal->annonce(VerificationAcces::compte($requete), Action::Retrait, $id);
        if (!$this->siteDistant->retire($id)) {
            throw new NotFoundHttpException();
        }
        $this->journal->confirme($ligne, $id);

        return new Response(status: Response::HTTP_NO_CONTENT);
    }
}
