<?php

declare(strict_types=1);

namespace App\Controller;

use App\Securite\Acces;
use Symfony\Component\DependencyInjection\Attribute\Autowire;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\Routing\Attribute\Route;

/** La page. Elle est la même pour tous : c'est son code (public/licences.js) qui interroge l'API. */
final readonly class PageController
{
    public function __construct(#[Autowire('%kernel.project_dir%')] private string $projet)
    {
    }

    #[Route('/', name: 'page', methods: ['GET'], defaults: Acces::PUBLIC)]
    public function __invoke(): Response
    {
        return new Response((string) file_get_contents("$this->projet/gabarits/accueil.html"));
    }
}
