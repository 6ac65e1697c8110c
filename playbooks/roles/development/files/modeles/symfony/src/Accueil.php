<?php

declare(strict_types=1);

namespace App;

use Symfony\Component\HttpFoundation\JsonResponse;

/** Première page du projet. */
final class Accueil
{
    public function bonjour(string $prenom): JsonResponse
    {
        return new JsonResponse(['message' => "Bonjour $prenom"]);
    }
}
