<?php

declare(strict_types=1);

require_once dirname(__DIR__) . '/amorce.php';
require_once 'Symfony/Component/BrowserKit/autoload.php';
