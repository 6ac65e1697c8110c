<?php

declare(strict_types=1);

namespace App\Controller;

use App\Securite\Acces;
use Symfony\Component\DependencyInjection\Attribute\Autowire;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\Routing\Attribute\Route;

/** Ce qui est déployé. */
final readonly class VersionController
{
    public function __construct(
        #[Autowire('%env(APP_NAME)%')] private string $nom,
        #[Autowire('%env(APP_TAG)%')] private string $etiquette,
        #[Autowire('%env(APP_COMMIT)%')] private string $commit,
    ) {
    }

    #[Route('/version', name: 'version', methods: ['GET'], defaults: Acces::PUBLIC)]
    public function __invoke(): JsonResponse
    {
        return new JsonResponse(['application' => $this->nom, 'tag' => $this->etiquette, 'commit' => $this->commit]);
    }
}
