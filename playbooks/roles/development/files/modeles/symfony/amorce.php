<?php

declare(strict_types=1);

// Symfony vient des paquets du système ; le code du projet et ses composants, de Composer.
require_once 'Symfony/Bundle/FrameworkBundle/autoload.php';
require_once __DIR__ . '/vendor/autoload.php';
