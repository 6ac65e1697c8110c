<?php

declare(strict_types=1);

use CapVoile\Commun\Dates;
use CapVoile\Commun\Noms;
use CapVoile\Commun\Voiles;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

foreach (['Noms', 'Dates', 'Voiles'] as $classe) {
    require_once __DIR__ . "/../src/$classe.php";
}

/** Essais de la bibliothèque PHP : `phpunit tests` dans le dossier php/. */
final class CommunTest extends TestCase
{
    public function testNoms(): void
    {
        self::assertSame('Le Goff Anne-Marie', Noms::normaliser('  LE  goff anne-marie '));
        self::assertSame("Éric O'Brien", Noms::normaliser("éric o'brien"));
        self::assertSame('', Noms::normaliser(''));
    }

    public function testDates(): void
    {
        self::assertSame('mardi 14 juillet 2026', Dates::enToutesLettres(new DateTimeImmutable('2026-07-14')));
        self::assertSame('samedi 1er août 2026', Dates::enToutesLettres(new DateTimeImmutable('2026-08-01')));
    }

    public function testNumeroDeVoile(): void
    {
        self::assertSame('FRA 1234', Voiles::numero('fra-1234'));
    }

    #[DataProvider('fauxNumeros')]
    public function testFauxNumeroDeVoile(string $faux): void
    {
        $this->expectException(InvalidArgumentException::class);
        Voiles::numero($faux);
    }

    public static function fauxNumeros(): array
    {
        return [[''], ['FRA'], ['1234'], ['FRANCE 1'], ['FRA 1234567'], ['FRA 12a']];
    }
}
