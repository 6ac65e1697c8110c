<?php

declare(strict_types=1);

namespace App\Securite;

use App\Donnees\ServiceIndisponible;
use Symfony\Component\DependencyInjection\Attribute\Autowire;

/**
 * L'annuaire de la fédération, par LDAPS.
 *
 * C'est le compte de l'utilisateur qui se connecte : l'application n'a pas de compte à elle dans l'annuaire.
 */
final readonly class AnnuaireLdap implements Annuaire
{
    private const string GROUPE = 'internes';
    private const int DELAI = 3;

    // Codes de la RFC 4511, annexe A.
    private const int IDENTIFIANTS_FAUX = 49;
    // Attribut ou entrée absents, ou cachés à qui n'a pas le droit de les lire.
    private const array PAS_MEMBRE = [16, 32, 50];

    public function __construct(
        #[Autowire('%env(DIRECTORY_URL)%')] private string $url,
        #[Autowire('%env(DIRECTORY_BASE_DN)%')] private string $base,
        #[Autowire('%env(default::CA_FILE)%')] private ?string $autorite,
    ) {
    }

    public function verifie(string $compte, #[\SensitiveParameter] string $motDePasse): Verdict
    {
        // Un mot de passe vide ouvrirait une session anonyme (RFC 4513, 5.1.2), qui réussit toujours.
        if ($motDePasse === '' || !preg_match('/^[A-Za-z0-9._-]{1,64}$/D', $compte)) {
            return Verdict::Inconnu;
        }
        $personne = 'uid='.ldap_escape($compte, '', LDAP_ESCAPE_DN).",ou=people,$this->base";
        $liaison = $this->liaison();
        try {
            // @ : l'échec est lu dans le code d'erreur, sans avertissement dans le journal.
            if (!@ldap_bind($liaison, $personne, $motDePasse)) {
                return ldap_errno($liaison) === self::IDENTIFIANTS_FAUX
                    ? Verdict::Inconnu
                    : throw $this->indisponible($liaison);
            }
            $groupe = 'cn='.self::GROUPE.",ou=groups,$this->base";
            $membre = @ldap_compare($liaison, $groupe, 'member', $personne);
            if ($membre === true) {
                return Verdict::Membre;
            }
            if ($membre === false || in_array(ldap_errno($liaison), self::PAS_MEMBRE, true)) {
                return Verdict::HorsGroupe;
            }
            throw $this->indisponible($liaison);
        } finally {
            @ldap_unbind($liaison);
        }
    }

    private function liaison(): \LDAP\Connection
    {
        // Le certificat se vérifie avant que quoi que ce soit ne soit envoyé ; ces réglages sont ceux du processus.
        ldap_set_option(null, LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_HARD);
        if ($this->autorite !== null) {
            ldap_set_option(null, LDAP_OPT_X_TLS_CACERTFILE, $this->autorite);
        }
        $liaison = str_starts_with($this->url, 'ldaps://') ? ldap_connect($this->url) : false;
        if ($liaison === false) {
            throw new ServiceIndisponible("L'adresse de l'annuaire n'est pas réglée (ldaps://…).");
        }
        ldap_set_option($liaison, LDAP_OPT_PROTOCOL_VERSION, 3);
        ldap_set_option($liaison, LDAP_OPT_REFERRALS, 0);
        ldap_set_option($liaison, LDAP_OPT_NETWORK_TIMEOUT, self::DELAI);
        ldap_set_option($liaison, LDAP_OPT_TIMEOUT, self::DELAI);

        return $liaison;
    }

    private function indisponible(\LDAP\Connection $liaison): ServiceIndisponible
    {
        ldap_get_option($liaison, LDAP_OPT_DIAGNOSTIC_MESSAGE, $detail); // dit par exemple quel certificat déplaît

        return new ServiceIndisponible(
            "L'annuaire ne répond pas : la connexion est impossible pour le moment.",
            previous: new \RuntimeException(ldap_error($liaison)." $detail"),
        );
    }
}
