<?php

declare(strict_types=1);

namespace App\Tests;

final class PageTest extends CasApplication
{
    public function testLaPageEtSesEnTetes(): void
    {
        $reponse = $this->envoie('GET', '/');
        self::assertSame(200, $reponse->getStatusCode());
        self::assertStringStartsWith('text/html', (string) $reponse->headers->get('Content-Type'));
        self::assertSame('nosniff', $reponse->headers->get('X-Content-Type-Options'));
        self::assertStringContainsString('no-store', (string) $reponse->headers->get('Cache-Control'));
        $csp = (string) $reponse->headers->get('Content-Security-Policy');
        self::assertStringContainsString("default-src 'none'", $csp);
        self::assertStringNotContainsString('unsafe', $csp);
    }

    public function testLaPageNeContientNiCodeNiStyle(): void
    {
        $page = (string) $this->envoie('GET', '/')->getContent();
        self::assertDoesNotMatchRegularExpression('/<style|\sstyle=|\son[a-z]+=|javascript:/i', $page);
        self::assertSame(1, preg_match_all('/<script[^>]*>(.*?)<\/script>/s', $page, $codes));
        self::assertSame('', $codes[1][0]);
    }

    public function testCeQueLaPageChargeExiste(): void
    {
        preg_match_all('/(?:src|href)="\/([^"]+)"/', (string) $this->envoie('GET', '/')->getContent(), $fichiers);
        self::assertNotEmpty($fichiers[1]);
        foreach ($fichiers[1] as $fichier) {
            self::assertFileExists(dirname(__DIR__)."/public/$fichier");
        }
    }

    public function testUnSeulBoutonDEnvoi(): void
    {
        // Les autres formulaires n'apparaissent qu'une fois connecté.
        $page = (string) $this->envoie('GET', '/')->getContent();
        self::assertSame(1, substr_count($page, 'type="submit"'));
        foreach (['name="identifiant"', 'name="mot_de_passe"', 'id="licences"', 'role="alert"'] as $attendu) {
            self::assertStringContainsString($attendu, $page);
        }
    }

    public function testSansSonCodeLaPageNEnvoieRien(): void
    {
        $page = (string) $this->envoie('GET', '/')->getContent();
        self::assertMatchesRegularExpression('/<button type="submit"[^>]* disabled>/', $page);
        self::assertMatchesRegularExpression('/<form id="connexion" method="post">/', $page);
        $this->assertErreur(405, $this->envoie('POST', '/', formulaire: ['mot_de_passe' => 'bon']));
    }

    public function testVersion(): void
    {
        $reponse = $this->envoie('GET', '/version');
        self::assertSame(200, $reponse->getStatusCode());
        self::assertSame(['application', 'tag', 'commit'], array_keys($this->contenu($reponse)));
    }

    public function testAdressesInconnues(): void
    {
        $this->assertErreur(404, $this->envoie('GET', '/inconnue'));
        $this->assertErreur(404, $this->envoie('GET', '/.env'));
        $this->assertErreur(405, $this->envoie('PUT', '/'));
        $this->assertErreur(404, $this->envoie('GET', '/%FF'));
    }
}
