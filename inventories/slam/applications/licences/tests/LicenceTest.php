<?php

declare(strict_types=1);

namespace App\Tests;

use App\Donnees\Licence;
use App\Donnees\SaisieInvalide;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

final class LicenceTest extends TestCase
{
    public function testUneLicenceComplete(): void
    {
        $saisie = ['nom' => 'Éric Tabarly', 'club' => 'Morgat', 'numero' => '29-0042A', 'categorie' => 'adulte'];

        self::assertSame($saisie, Licence::depuis($saisie)->champs());
    }

    public function testLesChampsFacultatifsVidesNeSontPasEnregistres(): void
    {
        $licence = Licence::depuis(['nom' => '  Le Goff ', 'club' => 'Morgat', 'numero' => '', 'categorie' => ' ']);

        self::assertSame(['nom' => 'Le Goff', 'club' => 'Morgat'], $licence->champs());
    }

    /** @param array<mixed> $saisie */
    #[DataProvider('invalides')]
    public function testUneSaisieInvalideEstRefusee(array $saisie): void
    {
        $this->expectException(SaisieInvalide::class);
        Licence::depuis($saisie);
    }

    /** @return iterable<string, array{array<mixed>}> */
    public static function invalides(): iterable
    {
        $juste = ['nom' => 'Le Goff', 'club' => 'Morgat'];
        yield 'rien' => [[]];
        yield 'une liste' => [['Le Goff', 'Morgat']];
        yield 'sans club' => [['nom' => 'Le Goff']];
        yield 'nom blanc' => [['nom' => '   '] + $juste];
        yield 'nom trop long' => [['nom' => str_repeat('é', 81)] + $juste];
        yield 'nom qui est un tableau' => [['nom' => ['x']] + $juste];
        yield 'nom qui est un nombre' => [['nom' => 12] + $juste];
        yield 'caractère nul' => [['nom' => "Le\0Goff"] + $juste];
        yield 'octets qui ne sont pas de l\'UTF-8' => [['nom' => "Le Goff\xff"] + $juste];
        yield 'sens de lecture inversé' => [['nom' => "Le \u{202E}Goff"] + $juste];
        yield 'champ inconnu' => [['administrateur' => 'oui'] + $juste];
        yield 'identifiant choisi' => [['id' => '1'] + $juste];
        yield 'numéro en minuscules' => [['numero' => 'abc'] + $juste];
        yield 'numéro sur deux lignes' => [['numero' => "A1\nB"] + $juste];
        yield 'catégorie inconnue' => [['categorie' => 'amiral'] + $juste];
    }
}
