<?php

declare(strict_types=1);

namespace App\Donnees;

use Symfony\Component\DependencyInjection\Attribute\Autowire;

/**
 * Les licences, que le site distant héberge.
 *
 * Rien n'est gardé ici : si le site ne répond pas, il n'y a pas de données, et on le dit.
 */
final readonly class SiteDistant
{
    private const string INDISPONIBLE = 'Les licences sont indisponibles : le site distant ne répond pas.';
    private const float DELAI = 3.0;

    public function __construct(
        private ClientJson $client,
        #[Autowire('%env(DATA_URL)%')] private string $base,
        #[Autowire('%env(DATA_TOKEN)%')] #[\SensitiveParameter] private string $jeton,
    ) {
    }

    /** @return list<array<string, mixed>> */
    public function liste(string $cherche = ''): array
    {
        $options = $cherche === '' ? [] : ['query' => ['cherche' => $cherche]];
        [$code, $contenu] = $this->demande('GET', 'licences', $options);

        return ClientJson::liste($code, $contenu, self::INDISPONIBLE);
    }

    /** @return array<string, mixed> la licence enregistrée, avec son id */
    public function ajoute(Licence $licence): array
    {
        [$code, $contenu] = $this->demande('POST', 'licences', ['json' => $licence->champs()]);
        if ($code === 400) {
            throw new SaisieInvalide('Le site distant refuse cette licence.');
        }
        if ($code !== 201 || !is_array($contenu) || !isset($contenu['id'])) {
            throw new ServiceIndisponible(self::INDISPONIBLE);
        }

        return $contenu;
    }

    /** Vrai si la licence existait. */
    public function retire(string $id): bool
    {
        [$code] = $this->demande('DELETE', 'licences/'.rawurlencode($id));

        return match ($code) {
            204 => true,
            404 => false,
            default => throw new ServiceIndisponible(self::INDISPONIBLE),
        };
    }

    /**
     * @param array<string, mixed> $options
     *
     * @return array{int, mixed}
     */
    private function demande(string $methode, string $chemin, array $options = []): array
    {
        return $this->client->demande(
            $methode, $this->base.$chemin, $this->jeton, self::DELAI, self::INDISPONIBLE, $options,
        );
    }
}
