<?php

declare(strict_types=1);

namespace App\Donnees;

/** Licence d'un pratiquant, telle qu'on la saisit. C'est ici, et nulle part ailleurs, que la saisie est vérifiée. */
final readonly class Licence
{
    public const array CATEGORIES = ['jeune', 'adulte', 'temporaire'];

    private const array CHAMPS = ['nom', 'club', 'numero', 'categorie'];
    private const int LONGUEUR = 80;

    private function __construct(
        public string $nom,
        public string $club,
        public string $numero,
        public string $categorie,
    ) {
    }

    /**
     * @param array<mixed> $saisie
     *
     * @throws SaisieInvalide
     */
    public static function depuis(array $saisie): self
    {
        if (array_diff(array_keys($saisie), self::CHAMPS) !== []) {
            throw new SaisieInvalide('Les champs admis sont : '.implode(', ', self::CHAMPS).'.');
        }
        $licence = new self(
            self::texte($saisie, 'nom'),
            self::texte($saisie, 'club'),
            self::texte($saisie, 'numero'),
            self::texte($saisie, 'categorie'),
        );
        if ($licence->nom === '' || $licence->club === '') {
            throw new SaisieInvalide('Le nom et le club sont obligatoires.');
        }
        if ($licence->numero !== '' && !preg_match('/^[0-9A-Z-]{1,20}$/D', $licence->numero)) {
            throw new SaisieInvalide('Le numéro se compose de 20 chiffres, majuscules et tirets au plus.');
        }
        if ($licence->categorie !== '' && !in_array($licence->categorie, self::CATEGORIES, true)) {
            throw new SaisieInvalide('La catégorie est l\'une de : '.implode(', ', self::CATEGORIES).'.');
        }

        return $licence;
    }

    /**
     * Champs à enregistrer : ceux qui sont facultatifs et vides n'y sont pas.
     *
     * @return array<string, string>
     */
    public function champs(): array
    {
        return array_filter(get_object_vars($this), static fn (string $valeur): bool => $valeur !== '');
    }

    /** @param array<mixed> $saisie */
    private static function texte(array $saisie, string $champ): string
    {
        $valeur = $saisie[$champ] ?? '';
        if (!is_string($valeur)) {
            throw new SaisieInvalide("Le champ $champ doit être un texte.");
        }
        $valeur = trim($valeur);
        if (mb_strlen($valeur) > self::LONGUEUR) {
            throw new SaisieInvalide("Le champ $champ dépasse ".self::LONGUEUR.' caractères.');
        }
        // \p{C} : caractères de contrôle, invisibles ou inversant le sens de lecture.
        if (preg_match('/\p{C}/u', $valeur) !== 0) {
            throw new SaisieInvalide("Le champ $champ contient un caractère interdit.");
        }

        return $valeur;
    }
}
