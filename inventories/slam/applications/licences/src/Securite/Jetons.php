<?php

declare(strict_types=1);

namespace App\Securite;

use Symfony\Component\DependencyInjection\Attribute\Autowire;

/**
 * Jetons signés : « contenu.signature », tous deux en base64 d'URL.
 *
 * Le contenu (compte, heure de fin) se lit, mais ne se change pas sans le secret : l'application n'a donc
 * pas besoin de garder la liste des sessions.
 */
final readonly class Jetons
{
    public const int DUREE = 3600;

    public function __construct(
        #[Autowire('%env(APP_SECRET)%')] #[\SensitiveParameter] private string $secret,
    ) {
        if ($secret === '') {
            throw new \LogicException('APP_SECRET n\'est pas réglé : aucun jeton ne peut être signé.');
        }
    }

    public function cree(string $compte, ?int $maintenant = null): string
    {
        $fin = ($maintenant ?? time()) + self::DUREE;
        $contenu = self::base64Url(json_encode(['compte' => $compte, 'fin' => $fin], JSON_THROW_ON_ERROR));

        return "$contenu.{$this->signature($contenu)}";
    }

    /** Le compte à qui le jeton a été donné ; null s'il est faux ou périmé. */
    public function compte(#[\SensitiveParameter] string $jeton, ?int $maintenant = null): ?string
    {
        [$contenu, $signature] = explode('.', $jeton, 2) + ['', ''];
        // hash_equals : la durée de la comparaison ne dit pas combien de caractères sont justes.
        if (!hash_equals($this->signature($contenu), $signature)) {
            return null;
        }
        $lu = json_decode((string) base64_decode(strtr($contenu, '-_', '+/'), true), true);
        if (!is_array($lu) || !is_string($lu['compte'] ?? null) || !is_int($lu['fin'] ?? null)) {
            return null;
        }

        return ($maintenant ?? time()) < $lu['fin'] ? $lu['compte'] : null;
    }

    private function signature(string $contenu): string
    {
        return self::base64Url(hash_hmac('sha256', "jeton:$contenu", $this->secret, true));
    }

    private static function base64Url(string $octets): string
    {
        return rtrim(strtr(base64_encode($octets), '+/', '-_'), '=');
    }
}
