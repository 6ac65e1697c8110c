<?php

declare(strict_types=1);

namespace App\Tests;

use App\Securite\Jetons;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

final class JetonsTest extends TestCase
{
    private const int MIDI = 1_800_000_000;

    public function testUnJetonDitSonCompteJusquaSaFin(): void
    {
        $jetons = new Jetons('secret');
        $jeton = $jetons->cree('chloe', self::MIDI);

        self::assertSame('chloe', $jetons->compte($jeton, self::MIDI));
        self::assertSame('chloe', $jetons->compte($jeton, self::MIDI + 3599));
        self::assertNull($jetons->compte($jeton, self::MIDI + 3600));
    }

    public function testUnAutreSecretNeSignePasPourNous(): void
    {
        self::assertNull((new Jetons('secret'))->compte((new Jetons('autre'))->cree('chloe')));
    }

    public function testUnContenuChangeEstRefuse(): void
    {
        $jetons = new Jetons('secret');
        [, $signature] = explode('.', $jetons->cree('chloe'));
        $contenu = rtrim(base64_encode('{"compte":"alice","fin":9999999999}'), '=');

        self::assertNull($jetons->compte("$contenu.$signature"));
    }

    #[DataProvider('faux')]
    public function testCeQuiNestPasUnJetonEstRefuse(string $faux): void
    {
        self::assertNull((new Jetons('secret'))->compte($faux));
    }

    /** @return iterable<array{string}> */
    public static function faux(): iterable
    {
        yield 'vide' => [''];
        yield 'un point' => ['.'];
        yield 'sans signature' => ['eyJjb21wdGUiOiJjaGxvZSJ9'];
        yield 'signature vide' => ['eyJjb21wdGUiOiJjaGxvZSJ9.'];
    }

    public function testSansSecretAucunJeton(): void
    {
        $this->expectException(\LogicException::class);
        new Jetons('');
    }
}
