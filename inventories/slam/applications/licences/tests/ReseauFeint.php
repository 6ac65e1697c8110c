<?php

declare(strict_types=1);

namespace App\Tests;

use Symfony\Component\HttpClient\Response\JsonMockResponse;
use Symfony\Component\HttpClient\Response\MockResponse;
use Symfony\Contracts\HttpClient\ResponseInterface;

/** Tient lieu de réseau : note les requêtes de l'application, et répond ce que le test a préparé. */
final class ReseauFeint
{
    /** @var list<array{methode: string, url: string, jeton: string, corps: mixed, options: array<string, mixed>}> */
    public array $requetes = [];

    /** @var list<ResponseInterface> */
    private array $reponses = [];

    public function repondra(int $code, mixed $contenu): void
    {
        $this->reponses[] = new JsonMockResponse($contenu, ['http_code' => $code]);
    }

    public function repondraTexte(int $code, string $texte): void
    {
        $this->reponses[] = new MockResponse($texte, ['http_code' => $code]);
    }

    public function seraCoupe(): void
    {
        $this->reponses[] = new MockResponse('', ['error' => 'Connection timed out']);
    }

    /** @param array<string, mixed> $options */
    public function __invoke(string $methode, string $url, array $options): ResponseInterface
    {
        $this->requetes[] = [
            'methode' => $methode,
            'url' => $url,
            'jeton' => $options['normalized_headers']['authorization'][0] ?? '',
            'corps' => json_decode((string) ($options['body'] ?? ''), true),
            'options' => $options,
        ];

        return array_shift($this->reponses) ?? throw new \LogicException("Requête imprévue : $methode $url");
    }
}
