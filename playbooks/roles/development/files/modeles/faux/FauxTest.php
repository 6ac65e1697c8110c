<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** Essai qui ne peut pas passer : l'outil doit le dire. */
final class FauxTest extends TestCase
{
    public function testFaux(): void
    {
        self::assertSame(1, 2);
    }
}
