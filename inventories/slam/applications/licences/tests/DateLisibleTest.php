<?php

declare(strict_types=1);

namespace App\Tests;

use App\Web\DateLisible;
use CapVoile\Commun\Dates;
use PHPUnit\Framework\Attributes\PreserveGlobalState;
use PHPUnit\Framework\Attributes\RunInSeparateProcess;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Filesystem\Filesystem;

/** Dates, avec et sans le composant commun. */
final class DateLisibleTest extends TestCase
{
    public function testSansLeComposant(): void
    {
        self::assertFalse(class_exists(Dates::class));
        self::assertSame('14/07/2026 à 10 h 02', self::date('2026-07-14T08:02:03Z'));
    }

    public function testLHeureEstCelleDeParis(): void
    {
        self::assertSame('01/01/2027 à 00 h 30', self::date('2026-12-31T23:30:00Z'));
    }

    // Une classe chargée le reste : la feinte ne doit pas survivre à cet essai.
    #[RunInSeparateProcess]
    #[PreserveGlobalState(false)]
    public function testAvecLeComposantLaOuLInstallationLeMet(): void
    {
        (new Filesystem())->dumpFile(
            getenv('STATE_DIRECTORY').'/composants/capvoile/commun/src/Dates.php',
            <<<'PHP'
                <?php
                namespace CapVoile\Commun;
                final class Dates
                {
                    public static function enToutesLettres(\DateTimeInterface $jour): string
                    {
                        return "le {$jour->format('j')} du mois";
                    }
                }
                PHP,
        );
        self::assertSame('le 14 du mois à 10 h 02', self::date('2026-07-14T08:02:03Z'));
    }

    private static function date(string $instant): string
    {
        return DateLisible::de(new \DateTimeImmutable($instant));
    }
}
