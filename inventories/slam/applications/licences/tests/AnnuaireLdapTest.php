<?php

declare(strict_types=1);

namespace App\Tests;

use App\Donnees\ServiceIndisponible;
use App\Securite\AnnuaireLdap;
use App\Securite\Verdict;
use PHPUnit\Framework\TestCase;

/** Ce qui se vérifie sans annuaire : ce qui est refusé avant toute connexion. */
final class AnnuaireLdapTest extends TestCase
{
    public function testUnMotDePasseVideOuUnCompteTorduEstRefuseSansConnexion(): void
    {
        $annuaire = new AnnuaireLdap('', 'dc=voile,dc=test', null); // sans adresse : se connecter échouerait
        foreach ([['chloe', ''], ['', 'x'], ['chloe,ou=groups', 'x'], ['*', 'x'], ["chloe\n", 'x']] as [$compte, $mdp]) {
            self::assertSame(Verdict::Inconnu, $annuaire->verifie($compte, $mdp));
        }
    }

    public function testRienNEstEnvoyeEnClair(): void
    {
        $annuaire = new AnnuaireLdap('ldap://127.0.0.1', 'dc=voile,dc=test', null);
        $this->expectException(ServiceIndisponible::class);
        $annuaire->verifie('chloe', 'bon');
    }
}
