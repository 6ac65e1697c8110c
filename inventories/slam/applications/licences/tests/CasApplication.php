<?php

declare(strict_types=1);

namespace App\Tests;

use App\Journal\Base;
use App\Journal\Migrations;
use App\Kernel;
use App\Securite\Jetons;
use PHPUnit\Framework\TestCase;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;

/** Base des tests fonctionnels : l'application entière reçoit une requête, sans serveur ni réseau. */
abstract class CasApplication extends TestCase
{
    protected ReseauFeint $reseau;
    protected AnnuaireFeint $annuaire;
    private Kernel $kernel;

    protected function setUp(): void
    {
        $this->kernel = new Kernel('test', false);
        $this->kernel->boot();
        $services = $this->kernel->getContainer();
        $this->reseau = $services->get(ReseauFeint::class);
        $this->annuaire = $services->get(\App\Securite\Annuaire::class);
        (new Migrations($this->nouvelleBase(), dirname(__DIR__).'/migrations'))->applique();
    }

    protected function tearDown(): void
    {
        $this->kernel->shutdown();
        unlink(self::fichierJournal());
    }

    protected static function fichierJournal(): string
    {
        return getenv('STATE_DIRECTORY').'/journal.sqlite';
    }

    /** La base de l'application, par une liaison de plus. */
    protected function nouvelleBase(): Base
    {
        return new Base(self::fichierJournal());
    }

    protected function jeton(): string
    {
        return (new Jetons('secret-des-tests'))->cree('chloe');
    }

    /** @param array<string, mixed> $formulaire */
    protected function envoie(
        string $methode,
        string $chemin,
        ?string $jeton = null,
        ?string $corps = null,
        array $formulaire = [],
    ): Response {
        $requete = Request::create($chemin, $methode, $formulaire, content: $corps);
        if ($jeton !== null) {
            $requete->headers->set('Authorization', "Bearer $jeton");
        }

        return $this->kernel->handle($requete);
    }

    protected function contenu(Response $reponse): mixed
    {
        return json_decode((string) $reponse->getContent(), true, flags: JSON_THROW_ON_ERROR);
    }

    protected function assertErreur(int $code, Response $reponse): void
    {
        self::assertSame($code, $reponse->getStatusCode(), (string) $reponse->getContent());
        self::assertSame(['erreur'], array_keys($this->contenu($reponse)));
    }
}
