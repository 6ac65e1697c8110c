<?php

declare(strict_types=1);

namespace App\Tests;

use App\Securite\Jetons;
use PHPUnit\Framework\Attributes\DataProvider;

final class LicencesTest extends CasApplication
{
    private const string SITE = 'https://donnees.test/api/licences/licences';
    private const array LICENCE = ['id' => 7, 'nom' => 'Le Goff', 'club' => 'Morgat'];

    #[DataProvider('portes')]
    public function testToutEstFermeSansJetonValable(string $methode, string $chemin): void
    {
        $perime = (new Jetons('secret-des-tests'))->cree('chloe', time() - Jetons::DUREE);
        foreach ([null, '', 'faux', 'faux.faux', $perime] as $jeton) {
            $reponse = $this->envoie($methode, $chemin, $jeton, '{"nom": "Le Goff", "club": "Morgat"}');
            $this->assertErreur(401, $reponse);
            self::assertSame('Bearer', $reponse->headers->get('WWW-Authenticate'));
        }
        self::assertSame([], $this->reseau->requetes);
    }

    /** @return iterable<array{string, string}> */
    public static function portes(): iterable
    {
        yield ['GET', '/api/licences'];
        yield ['POST', '/api/licences'];
        yield ['DELETE', '/api/licences/7'];
        yield ['GET', '/api/regates?cherche=brise'];
        yield ['GET', '/api/journal'];
        yield ['GET', '/api/%6cicences'];
    }

    public function testListe(): void
    {
        $this->reseau->repondra(200, [self::LICENCE]);
        $reponse = $this->envoie('GET', '/api/licences', $this->jeton());

        self::assertSame(200, $reponse->getStatusCode());
        self::assertSame([self::LICENCE], $this->contenu($reponse));
        $requete = $this->reseau->requetes[0];
        self::assertSame(['GET', self::SITE], [$requete['methode'], $requete['url']]);
        self::assertSame('Authorization: Bearer jeton-du-site-distant', $requete['jeton']);
    }

    public function testLeDelaiEstBorneEtLeJetonNeSuitPasUneRedirection(): void
    {
        $this->reseau->repondra(200, []);
        $this->envoie('GET', '/api/licences', $this->jeton());

        $options = $this->reseau->requetes[0]['options'];
        self::assertSame(0, $options['max_redirects']);
        self::assertLessThanOrEqual(3.0, $options['max_duration']);
    }

    public function testRecherche(): void
    {
        $this->reseau->repondra(200, []);
        $this->envoie('GET', '/api/licences?cherche=Le+Goff%26x', $this->jeton());
        self::assertSame(self::SITE.'?cherche=Le%20Goff%26x', $this->reseau->requetes[0]['url']);

        foreach (['cherche[]=x', 'cherche=%FF', 'cherche=x%00y', 'cherche='.str_repeat('x', 81)] as $tordue) {
            $this->assertErreur(400, $this->envoie('GET', "/api/licences?$tordue", $this->jeton()));
        }
    }

    public function testLeJsonGardeSesAccents(): void
    {
        $this->reseau->repondra(200, [['id' => 1, 'nom' => 'Éric <b>', 'club' => 'L\'Île/Bréhat']]);
        $reponse = $this->envoie('GET', '/api/licences', $this->jeton());
        $attendu = '[{"id":1,"nom":"Éric \u003Cb\u003E","club":"L\'Île/Bréhat"}]';
        self::assertSame($attendu, $reponse->getContent());

        $this->reseau->repondra(200, []);
        self::assertSame('[]', $this->envoie('GET', '/api/licences', $this->jeton())->getContent());
    }

    public function testAjout(): void
    {
        $this->reseau->repondra(201, self::LICENCE);
        $corps = '{"nom": " Le Goff", "club": "Morgat", "numero": ""}';
        $reponse = $this->envoie('POST', '/api/licences', $this->jeton(), $corps);

        self::assertSame(201, $reponse->getStatusCode());
        self::assertSame(self::LICENCE, $this->contenu($reponse));
        self::assertSame(['nom' => 'Le Goff', 'club' => 'Morgat'], $this->reseau->requetes[0]['corps']);
    }

    #[DataProvider('corpsInvalides')]
    public function testUnAjoutInvalideNeVaPasJusquAuSiteDistant(string $corps): void
    {
        $this->assertErreur(400, $this->envoie('POST', '/api/licences', $this->jeton(), $corps));
        self::assertSame([], $this->reseau->requetes);
    }

    /** @return iterable<array{string}> */
    public static function corpsInvalides(): iterable
    {
        yield [''];
        yield ['{'];
        yield ['"texte"'];
        yield ['[]'];
        yield ['{"nom": "Le Goff"}'];
        yield ['{"nom": "Le Goff", "club": {"a": "b"}}'];
        yield ["{\"nom\": \"\xff\", \"club\": \"Morgat\"}"];
        yield [str_repeat('[', 5000)];
    }

    public function testUnRefusDuSiteDistantEstUneSaisieInvalide(): void
    {
        $this->reseau->repondra(400, ['erreur' => 'champ']);
        $corps = '{"nom": "Le Goff", "club": "Morgat"}';
        $this->assertErreur(400, $this->envoie('POST', '/api/licences', $this->jeton(), $corps));
    }

    public function testRetrait(): void
    {
        $this->reseau->repondraTexte(204, '');
        $reponse = $this->envoie('DELETE', '/api/licences/7', $this->jeton());
        self::assertSame(204, $reponse->getStatusCode());
        self::assertSame(['DELETE', self::SITE.'/7'], array_slice(array_values($this->reseau->requetes[0]), 0, 2));

        $this->reseau->repondra(404, []);
        $this->assertErreur(404, $this->envoie('DELETE', '/api/licences/8', $this->jeton()));
    }

    public function testUnIdentifiantNEstPasUnChemin(): void
    {
        foreach (['..', '..%2Fregates', '7%2F8', '7%3Fx', '%FF', 'a.b', str_repeat('7', 65)] as $id) {
            $this->assertErreur(404, $this->envoie('DELETE', "/api/licences/$id", $this->jeton()));
        }
        self::assertSame([], $this->reseau->requetes);
    }

    /** @param callable(ReseauFeint): void $panne */
    #[DataProvider('pannes')]
    public function testSansSiteDistantPasDeDonnees(callable $panne): void
    {
        $this->reseau->repondra(200, [self::LICENCE]);
        $this->envoie('GET', '/api/licences', $this->jeton());
        $corps = '{"nom": "Le Goff", "club": "Morgat"}';
        foreach ([['GET', ''], ['POST', ''], ['DELETE', '/7']] as [$methode, $suite]) {
            $panne($this->reseau);
            $this->assertErreur(503, $this->envoie($methode, "/api/licences$suite", $this->jeton(), $corps));
        }
    }

    /** @return iterable<string, array{callable(ReseauFeint): void}> */
    public static function pannes(): iterable
    {
        yield 'coupé' => [static fn (ReseauFeint $reseau) => $reseau->seraCoupe()];
        yield 'en erreur' => [static fn (ReseauFeint $reseau) => $reseau->repondra(500, [])];
        yield 'jeton refusé' => [static fn (ReseauFeint $reseau) => $reseau->repondra(401, [])];
        yield 'une page au lieu de données' => [static fn (ReseauFeint $reseau) => $reseau->repondraTexte(200, '<p>')];
        yield 'un objet au lieu d\'une liste' => [static fn (ReseauFeint $reseau) => $reseau->repondra(200, ['a' => 1])];
    }

    public function testLePartenaireLitEtNeFaitRienDAutre(): void
    {
        $this->reseau->repondra(200, [self::LICENCE]);
        $reponse = $this->envoie('GET', '/api/licences?cherche=Goff', 'jeton-de-service');
        self::assertSame([self::LICENCE], $this->contenu($reponse));
        self::assertSame(self::SITE.'?cherche=Goff', $this->reseau->requetes[0]['url']);

        $corps = '{"nom": "Le Goff", "club": "Morgat"}';
        $this->assertErreur(403, $this->envoie('POST', '/api/licences', 'jeton-de-service', $corps));
        $this->assertErreur(403, $this->envoie('DELETE', '/api/licences/7', 'jeton-de-service'));
        $this->assertErreur(403, $this->envoie('GET', '/api/regates?cherche=x', 'jeton-de-service'));
        self::assertCount(1, $this->reseau->requetes);
    }
}
