<?php

declare(strict_types=1);

namespace App\Tests;

use PHPUnit\Framework\Attributes\DataProvider;

final class ConnexionTest extends CasApplication
{
    public function testLeJetonDonneOuvreLApi(): void
    {
        $reponse = $this->connecte('chloe', 'bon');
        self::assertSame(200, $reponse->getStatusCode());

        $this->reseau->repondra(200, []);
        $jeton = $this->contenu($reponse)['jeton'];
        self::assertSame(200, $this->envoie('GET', '/api/licences', $jeton)->getStatusCode());
    }

    #[DataProvider('refus')]
    public function testLesAutresNEntrentPas(string $compte, string $motDePasse, int $code): void
    {
        $this->assertErreur($code, $this->connecte($compte, $motDePasse));
    }

    /** @return iterable<string, array{string, string, int}> */
    public static function refus(): iterable
    {
        yield 'mauvais mot de passe' => ['chloe', 'mauvais', 401];
        yield 'mot de passe vide' => ['chloe', '', 401];
        yield 'compte inconnu' => ['personne', 'bon', 401];
        yield 'hors du groupe' => ['denis.club', 'bon', 403];
    }

    public function testUnFormulaireIncompletOuTordu(): void
    {
        $this->assertErreur(400, $this->envoie('POST', '/api/connexion'));
        $this->assertErreur(400, $this->envoie('POST', '/api/connexion', formulaire: ['identifiant' => 'chloe']));
        $tableau = ['identifiant' => ['chloe'], 'mot_de_passe' => 'bon'];
        $this->assertErreur(400, $this->envoie('POST', '/api/connexion', formulaire: $tableau));
    }

    public function testLeMotDePasseNePassePasParLAdresse(): void
    {
        $this->assertErreur(405, $this->envoie('GET', '/api/connexion?identifiant=chloe&mot_de_passe=bon'));
        $this->assertErreur(400, $this->envoie('POST', '/api/connexion?identifiant=chloe&mot_de_passe=bon'));
    }

    public function testAnnuaireAbsent(): void
    {
        $this->annuaire->coupe = true;
        $this->assertErreur(503, $this->connecte('chloe', 'bon'));
    }

    private function connecte(string $compte, string $motDePasse): \Symfony\Component\HttpFoundation\Response
    {
        $formulaire = ['identifiant' => $compte, 'mot_de_passe' => $motDePasse];

        return $this->envoie('POST', '/api/connexion', formulaire: $formulaire);
    }
}
