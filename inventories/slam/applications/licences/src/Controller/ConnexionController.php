<?php

declare(strict_types=1);

namespace App\Controller;

use App\Donnees\SaisieInvalide;
use App\Securite\Acces;
use App\Securite\Annuaire;
use App\Securite\Jetons;
use App\Securite\Verdict;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpKernel\Exception\AccessDeniedHttpException;
use Symfony\Component\HttpKernel\Exception\UnauthorizedHttpException;
use Symfony\Component\Routing\Attribute\Route;

/** Un compte et un mot de passe de l'annuaire contre un jeton. */
final readonly class ConnexionController
{
    public function __construct(private Annuaire $annuaire, private Jetons $jetons)
    {
    }

    #[Route('/api/connexion', name: 'connexion', methods: ['POST'], defaults: Acces::PUBLIC)]
    public function __invoke(Request $requete): JsonResponse
    {
        $formulaire = $requete->request;
        if (!$formulaire->has('identifiant') || !$formulaire->has('mot_de_passe')) {
            throw new SaisieInvalide('Le formulaire a deux champs : identifiant et mot_de_passe.');
        }
        $compte = $formulaire->getString('identifiant');

        return match ($this->annuaire->verifie($compte, $formulaire->getString('mot_de_passe'))) {
            Verdict::Membre => new JsonResponse(['jeton' => $this->jetons->cree($compte)]),
            Verdict::HorsGroupe => throw new AccessDeniedHttpException(
                'Cette application est réservée au personnel de la fédération.',
            ),
            Verdict::Inconnu => throw new UnauthorizedHttpException(
                'Bearer', 'Identifiant ou mot de passe incorrect.',
            ),
        };
    }
}
