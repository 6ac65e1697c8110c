<?php

declare(strict_types=1);

namespace App\Donnees;

use Symfony\Contracts\HttpClient\Exception\ExceptionInterface;
use Symfony\Contracts\HttpClient\HttpClientInterface;

/** Dialogue avec un autre service : JSON sur HTTPS, jeton « Bearer », délai borné. */
final readonly class ClientJson
{
    public function __construct(private HttpClientInterface $http)
    {
    }

    /**
     * @param array<string, mixed> $options celles de Symfony HttpClient (json, query…)
     *
     * @return array{int, mixed} code de la réponse et son contenu (null s'il n'est pas du JSON)
     *
     * @throws ServiceIndisponible si aucune réponse n'arrive dans le délai
     */
    public function demande(
        string $methode,
        string $url,
        #[\SensitiveParameter] string $jeton,
        float $delai,
        string $indisponible,
        array $options = [],
    ): array {
        try {
            $reponse = $this->http->request($methode, $url, $options + [
                'auth_bearer' => $jeton,
                'timeout' => $delai,       // silence le plus long
                'max_duration' => $delai,  // durée totale
                'max_redirects' => 0,      // suivre une redirection enverrait le jeton ailleurs
            ]);

            return [$reponse->getStatusCode(), json_decode($reponse->getContent(false), true)];
        } catch (ExceptionInterface $erreur) {
            throw new ServiceIndisponible($indisponible, previous: $erreur);
        }
    }

    /**
     * La liste que le service a répondue, ou l'aveu qu'il n'est pas en état d'en donner une.
     *
     * @return list<array<string, mixed>>
     *
     * @throws ServiceIndisponible
     */
    public static function liste(int $code, mixed $contenu, string $indisponible): array
    {
        if ($code !== 200 || !is_array($contenu) || !array_is_list($contenu)) {
            throw new ServiceIndisponible($indisponible);
        }
        foreach ($contenu as $element) {
            if (!is_array($element) || !isset($element['id'])) {
                throw new ServiceIndisponible($indisponible);
            }
        }

        return $contenu;
    }
}
