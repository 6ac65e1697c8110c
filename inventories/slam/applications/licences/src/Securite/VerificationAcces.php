<?php

declare(strict_types=1);

namespace App\Securite;

use Symfony\Component\DependencyInjection\Attribute\Autowire;
use Symfony\Component\EventDispatcher\Attribute\AsEventListener;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpKernel\Event\RequestEvent;
use Symfony\Component\HttpKernel\Exception\AccessDeniedHttpException;
use Symfony\Component\HttpKernel\Exception\UnauthorizedHttpException;

/**
 * Passe entre le routage et le contrôleur : toute route est fermée, sauf celles qui disent le contraire.
 *
 * Une route qu'on oublierait de protéger reste ainsi protégée.
 */
#[AsEventListener(priority: 16)] // le routage est à 32
final readonly class VerificationAcces
{
    public function __construct(
        private Jetons $jetons,
        #[Autowire('%env(SERVICE_TOKEN)%')] #[\SensitiveParameter] private string $jetonDeService,
    ) {
    }

    public function __invoke(RequestEvent $evenement): void
    {
        $requete = $evenement->getRequest();
        $acces = $requete->attributes->get('_acces', 'utilisateur');
        if ($acces === 'public') {
            return;
        }
        $entete = $requete->headers->get('Authorization', '');
        $jeton = preg_match('/^Bearer +([\x21-\x7e]+)$/Di', $entete, $trouve) ? $trouve[1] : '';
        if ($this->estLePartenaire($jeton)) {
            if ($acces !== 'service') {
                throw new AccessDeniedHttpException('Le jeton de service ne permet que de lire les licences.');
            }

            return;
        }
        $compte = $this->jetons->compte($jeton);
        if ($compte === null) {
            throw new UnauthorizedHttpException('Bearer', 'Connectez-vous : jeton absent, faux ou périmé.');
        }
        $requete->attributes->set('_compte', $compte);
    }

    /** Qui fait la demande ; seulement dans une route réservée aux utilisateurs. */
    public static function compte(Request $requete): string
    {
        return $requete->attributes->getString('_compte') ?: throw new \LogicException('Route sans utilisateur.');
    }

    private function estLePartenaire(#[\SensitiveParameter] string $jeton): bool
    {
        return $this->jetonDeService !== '' && hash_equals($this->jetonDeService, $jeton);
    }
}
