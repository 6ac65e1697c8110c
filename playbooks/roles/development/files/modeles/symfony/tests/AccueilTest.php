<?php

declare(strict_types=1);

use Symfony\Bundle\FrameworkBundle\Test\WebTestCase;

/** Essai fonctionnel : la demande traverse tout le cadre applicatif. */
final class AccueilTest extends WebTestCase
{
    public function testBonjour(): void
    {
        $client = self::createClient();
        $client->request('GET', '/bonjour/Alice');
        self::assertResponseIsSuccessful();
        self::assertSame('{"message":"Bonjour Alice"}', $client->getResponse()->getContent());
    }
}
