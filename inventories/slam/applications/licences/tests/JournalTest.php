<?php

declare(strict_types=1);

namespace App\Tests;

use App\Journal\Action;
use App\Journal\Journal;
use Psr\Log\AbstractLogger;

final class JournalTest extends CasApplication
{
    private const string CORPS = '{"nom": "Le Goff", "club": "Morgat"}';

    private \PDO $base;

    protected function setUp(): void
    {
        parent::setUp();
        $this->base = $this->nouvelleBase()->liaison();
    }

    public function testUnAjoutEtUnRetraitSontNotes(): void
    {
        self::assertSame([], $this->journal());

        $this->reseau->repondra(201, ['id' => 7, 'nom' => 'Le Goff', 'club' => 'Morgat']);
        $this->envoie('POST', '/api/licences', $this->jeton(), self::CORPS);
        $this->reseau->repondraTexte(204, '');
        $this->envoie('DELETE', '/api/licences/7', $this->jeton());

        [$retrait, $ajout] = $this->journal(); // le plus récent d'abord
        $champs = ['instant', 'date', 'compte', 'action', 'licence', 'confirme'];
        self::assertSame($champs, array_keys($ajout));
        self::assertSame(['chloe', 'ajout', '7', true], array_slice(array_values($ajout), 2));
        self::assertSame(['chloe', 'retrait', '7', true], array_slice(array_values($retrait), 2));
        self::assertEqualsWithDelta(time(), (new \DateTimeImmutable($ajout['instant']))->getTimestamp(), 60);
    }

    public function testRienDeLaLicenceNEstGarde(): void
    {
        $this->reseau->repondra(201, ['id' => 7, 'nom' => 'Le Goff', 'club' => 'Morgat']);
        $this->envoie('POST', '/api/licences', $this->jeton(), self::CORPS);

        $octets = (string) file_get_contents(self::fichierJournal());
        self::assertStringContainsString('chloe', $octets);
        self::assertDoesNotMatchRegularExpression('/Goff|Morgat/i', $octets);
    }

    public function testCeQueLeSiteDistantNAPasFaitResteNonConfirme(): void
    {
        $this->reseau->repondra(400, []);
        $this->envoie('POST', '/api/licences', $this->jeton(), self::CORPS);
        $this->reseau->repondra(404, []);
        $this->envoie('DELETE', '/api/licences/8', $this->jeton());
        $this->reseau->seraCoupe();
        $this->assertErreur(503, $this->envoie('DELETE', '/api/licences/9', $this->jeton()));

        $lignes = $this->journal();
        self::assertSame(['retrait', 'retrait', 'ajout'], array_column($lignes, 'action'));
        self::assertSame(['9', '8', null], array_column($lignes, 'licence'));
        self::assertSame([false, false, false], array_column($lignes, 'confirme'));
    }

    public function testUneSaisieInvalideOuUnRefusNEstPasUnChangement(): void
    {
        $this->assertErreur(400, $this->envoie('POST', '/api/licences', $this->jeton(), '{"nom": ""}'));
        $this->assertErreur(401, $this->envoie('POST', '/api/licences', 'faux', self::CORPS));
        $this->assertErreur(403, $this->envoie('DELETE', '/api/licences/7', 'jeton-de-service'));
        self::assertSame([], $this->journal());
    }

    public function testIlNEstPasPourLePartenaire(): void
    {
        $this->assertErreur(403, $this->envoie('GET', '/api/journal', 'jeton-de-service'));
    }

    public function testIlSeLitSansLeSiteDistant(): void
    {
        self::assertSame([], $this->journal());
        self::assertSame([], $this->reseau->requetes);
    }

    public function testUnChangementQuiNePeutEtreNoteNEstPasDemande(): void
    {
        $this->base->exec('DROP TABLE journal');

        $this->assertErreur(503, $this->envoie('POST', '/api/licences', $this->jeton(), self::CORPS));
        $this->assertErreur(503, $this->envoie('DELETE', '/api/licences/7', $this->jeton()));
        $this->assertErreur(503, $this->envoie('GET', '/api/journal', $this->jeton()));
        self::assertSame([], $this->reseau->requetes);

        // Lire les licences n'en dépend pas.
        $this->reseau->repondra(200, []);
        self::assertSame(200, $this->envoie('GET', '/api/licences', $this->jeton())->getStatusCode());
    }

    public function testUneBaseOccupeeFaitAttendreMaisPasLongtemps(): void
    {
        $this->base->exec('BEGIN EXCLUSIVE');
        $debut = microtime(true);
        $this->assertErreur(503, $this->envoie('DELETE', '/api/licences/7', $this->jeton()));
        self::assertLessThan(4.0, microtime(true) - $debut);
    }

    public function testUneConfirmationManqueeEstSignaleeSansErreur(): void
    {
        $alertes = new class() extends AbstractLogger {
            public array $textes = [];

            public function log($level, string|\Stringable $message, array $context = []): void
            {
                $this->textes[] = "$level : $message";
            }
        };
        $journal = new Journal($this->nouvelleBase(), $alertes);
        $ligne = $journal->annonce('chloe', Action::Ajout);
        $this->base->exec('DROP TABLE journal');
        $journal->confirme($ligne, '7');

        self::assertSame(["error : Journal : la ligne $ligne (licence 7) n'est pas confirmée."], $alertes->textes);
    }

    public function testIlEstBorneEnLignesEtEnJours(): void
    {
        $insere = $this->base->prepare(
            "INSERT INTO journal (instant, compte, action, licence, confirme) VALUES (?, 'bruno', 'ajout', ?, 1)",
        );
        $insere->execute([gmdate('Y-m-d\TH:i:s\Z', time() - (Journal::JOURS + 1) * 86400), 'ancienne']);
        for ($numero = 1; $numero <= Journal::LIGNES; ++$numero) {
            $insere->execute([gmdate('Y-m-d\TH:i:s\Z'), (string) $numero]);
        }
        $this->reseau->repondraTexte(204, '');
        $this->envoie('DELETE', '/api/licences/neuve', $this->jeton());

        $lignes = $this->journal();
        self::assertCount(Journal::LIGNES, $lignes);
        self::assertSame(['neuve', (string) Journal::LIGNES], array_column(array_slice($lignes, 0, 2), 'licence'));
        $anciennes = $this->base->query("SELECT count(*) FROM journal WHERE licence = 'ancienne'");
        self::assertSame(0, (int) $anciennes->fetchColumn());
    }

    /** @return list<array<string, mixed>> */
    private function journal(): array
    {
        $reponse = $this->envoie('GET', '/api/journal', $this->jeton());
        self::assertSame(200, $reponse->getStatusCode(), (string) $reponse->getContent());

        return $this->contenu($reponse);
    }
}
