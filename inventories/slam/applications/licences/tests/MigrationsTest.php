<?php

declare(strict_types=1);

namespace App\Tests;

use App\Journal\Base;
use App\Journal\Migrations;
use App\Journal\MigrerCommande;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Console\Tester\CommandTester;
use Symfony\Component\Filesystem\Filesystem;

final class MigrationsTest extends TestCase
{
    private const string LIVREES = __DIR__.'/../migrations';

    private string $dossier;
    private Base $base;

    protected function setUp(): void
    {
        $this->dossier = getenv('STATE_DIRECTORY').'/migrations';
        (new Filesystem())->mirror(self::LIVREES, $this->dossier);
        $this->base = new Base(':memory:');
    }

    protected function tearDown(): void
    {
        (new Filesystem())->remove($this->dossier);
    }

    public function testUneBaseVideLesRecoitToutesEtUneSeuleFois(): void
    {
        $migrations = new Migrations($this->base, self::LIVREES);
        $nombre = count((array) glob(self::LIVREES.'/*.sql'));

        self::assertCount($nombre, $migrations->applique());
        self::assertSame($nombre, $migrations->version());
        self::assertSame([], $migrations->applique());
        self::assertSame($nombre, $migrations->version());
    }

    public function testUneVersionPlusAncienneGardeSesLignes(): void
    {
        unlink("$this->dossier/002_confirmation.sql");
        self::assertSame(['001_journal.sql'], $this->migrations()->applique());
        $this->base->liaison()->exec(
            "INSERT INTO journal (instant, compte, action) VALUES ('2026-07-14T08:02:03Z', 'chloe', 'ajout')",
        );

        self::assertSame(['002_confirmation.sql'], (new Migrations($this->base, self::LIVREES))->applique());
        $ligne = $this->base->liaison()->query('SELECT compte, confirme FROM journal')->fetch();
        self::assertSame(['compte' => 'chloe', 'confirme' => 0], $ligne);
    }

    public function testUneMigrationFausseNeLaisseRien(): void
    {
        $fausse = $this->dossier.sprintf('/%03d_fausse.sql', $this->nombre() + 1);
        file_put_contents($fausse, 'CREATE TABLE essai (id INTEGER); CREATE TABLE journal (id INTEGER);');
        try {
            $this->migrations()->applique();
            self::fail('La migration fausse est passée.');
        } catch (\PDOException) {
        }

        self::assertSame($this->nombre() - 1, $this->migrations()->version());
        $tables = $this->base->liaison()->query("SELECT name FROM sqlite_schema WHERE name = 'essai'")->fetchAll();
        self::assertSame([], $tables);

        // Une fois corrigée, elle passe.
        file_put_contents($fausse, 'CREATE TABLE essai (id INTEGER);');
        self::assertSame([basename($fausse)], $this->migrations()->applique());
    }

    public function testUneBasePlusRecenteQueLeCodeEstRefusee(): void
    {
        $this->base->liaison()->exec('PRAGMA user_version = 99');

        $this->expectExceptionMessage('La base locale est à la version 99');
        $this->migrations()->applique();
    }

    public function testUnNumeroQuiManqueOuQuiSeRepeteEstRefuse(): void
    {
        file_put_contents("$this->dossier/099_trou.sql", '');
        $this->expectExceptionMessage('099_trou.sql ne porte pas le numéro');
        $this->migrations()->applique();
    }

    public function testLaCommande(): void
    {
        $commande = new CommandTester(new MigrerCommande($this->migrations()));

        self::assertSame(0, $commande->execute([]));
        self::assertStringContainsString('Migration appliquée : 001_journal.sql', $commande->getDisplay());
        self::assertSame(0, $commande->execute([]));
        self::assertSame("Base locale à la version {$this->nombre()}.\n", $commande->getDisplay(true));
    }

    private function migrations(): Migrations
    {
        return new Migrations($this->base, $this->dossier);
    }

    private function nombre(): int
    {
        return count((array) glob("$this->dossier/*.sql"));
    }
}
