<?php

declare(strict_types=1);

namespace App;

use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Component\HttpKernel\Kernel as BaseKernel;

/** Noyau de l'application ; MicroKernelTrait lit config/services.yaml et config/routes.yaml. */
final class Kernel extends BaseKernel
{
    use MicroKernelTrait;

    public static function environnement(): string
    {
        return getenv('APP_ENV') === 'dev' ? 'dev' : 'prod';
    }

    public function registerBundles(): iterable
    {
        return [new FrameworkBundle()];
    }

    public function getProjectDir(): string
    {
        return dirname(__DIR__);
    }

    /** Le cache porte le nom de la version : en déployer une autre ne laisse rien de l'ancienne. */
    public function getCacheDir(): string
    {
        $version = preg_replace('/[^0-9a-f]/', '', (string) getenv('APP_COMMIT')) ?: 'locale';

        return "{$this->dossierVariable()}/cache/$version/{$this->environment}";
    }

    public function getLogDir(): string
    {
        return "{$this->dossierVariable()}/log";
    }

    /** Seul dossier où l'application a le droit d'écrire ; sur un poste de développement, var/. */
    private function dossierVariable(): string
    {
        return getenv('STATE_DIRECTORY') ?: "{$this->getProjectDir()}/var";
    }
}
