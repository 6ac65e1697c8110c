<?php

declare(strict_types=1);

namespace App\Donnees;

use Symfony\Component\DependencyInjection\Attribute\Autowire;

/** L'application des régates, que celle-ci interroge. */
final readonly class Partenaire
{
    private const string INDISPONIBLE = 'Les régates sont indisponibles : leur application ne répond pas.';
    // Elle interroge elle-même le site distant pendant 3 secondes au plus, et nous répondons en moins de 5.
    private const float DELAI = 4.0;

    public function __construct(
        private ClientJson $client,
        #[Autowire('%env(PARTNER_DATA_URL)%')] private string $adresse,
        #[Autowire('%env(PARTNER_TOKEN)%')] #[\SensitiveParameter] private string $jeton,
    ) {
    }

    /** @return list<array<string, mixed>> les régates dont un champ contient le mot */
    public function regates(string $cherche): array
    {
        $options = $cherche === '' ? [] : ['query' => ['cherche' => $cherche]];
        [$code, $contenu] = $this->client->demande(
            'GET', $this->adresse, $this->jeton, self::DELAI, self::INDISPONIBLE, $options,
        );
        $regates = ClientJson::liste($code, $contenu, self::INDISPONIBLE);

        // Le partenaire a le droit d'ignorer « cherche » : on ne garde que ce qui a été demandé.
        return array_values(array_filter($regates, static fn (array $regate): bool => array_any(
            $regate,
            static fn (mixed $valeur): bool => is_string($valeur) && mb_stripos($valeur, $cherche) !== false,
        )));
    }
}
