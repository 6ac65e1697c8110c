<?php

declare(strict_types=1);

namespace App\Tests;

final class RegatesTest extends CasApplication
{
    private const array BRISE = ['id' => 1, 'nom' => 'Coupe de la Brise', 'lieu' => 'Camaret', 'jour' => '2026-07-14'];
    private const array AUTRE = ['id' => 2, 'nom' => 'Trophée des Phares', 'lieu' => 'Morgat', 'jour' => '2026-08-01'];

    public function testLaRechercheEstTransmiseAuPartenaire(): void
    {
        $this->reseau->repondra(200, [self::BRISE, self::AUTRE]);
        $reponse = $this->envoie('GET', '/api/regates?cherche=bRISE', $this->jeton());

        self::assertSame(200, $reponse->getStatusCode());
        self::assertSame([self::BRISE], $this->contenu($reponse));
        self::assertSame('https://regates.test/api/regates?cherche=bRISE', $this->reseau->requetes[0]['url']);
        self::assertSame('Authorization: Bearer jeton-du-partenaire', $this->reseau->requetes[0]['jeton']);
    }

    public function testSansMotTouteLaListe(): void
    {
        $this->reseau->repondra(200, [self::BRISE, self::AUTRE]);
        $reponse = $this->envoie('GET', '/api/regates', $this->jeton());

        self::assertSame([self::BRISE, self::AUTRE], $this->contenu($reponse));
    }

    public function testPartenaireAbsent(): void
    {
        $this->reseau->seraCoupe();
        $this->assertErreur(503, $this->envoie('GET', '/api/regates?cherche=brise', $this->jeton()));
        $this->reseau->repondra(503, ['erreur' => 'site distant']);
        $this->assertErreur(503, $this->envoie('GET', '/api/regates?cherche=brise', $this->jeton()));
        $this->reseau->repondra(401, ['erreur' => 'jeton']);
        $this->assertErreur(503, $this->envoie('GET', '/api/regates?cherche=brise', $this->jeton()));
    }
}
