"""Validation de ce qui arrive : un formulaire Django par sorte d'entrée."""

from django import forms
from django.core.exceptions import ValidationError


def une_ligne(texte):
    """Refuser ce qui ne se voit pas : sauts de ligne, caractères de commande."""
    if not texte.isprintable():
        raise ValidationError("Ce texte contient des caractères invisibles.")


class Texte(forms.CharField):
    """Un texte d'une ligne."""

    default_validators = [une_ligne]


class FormulaireConnexion(forms.Form):
    """Ce que la page de connexion envoie."""

    # Le motif est celui des comptes de l'annuaire : rien d'autre n'entre dans un nom distinctif.
    identifiant = forms.RegexField(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
    # Un mot de passe vide ferait une connexion anonyme, que l'annuaire accepterait : il est exigé.
    mot_de_passe = forms.CharField(max_length=256, strip=False)

    def clean_identifiant(self):
        """L'annuaire ne distingue pas les majuscules : le journal non plus."""
        return self.cleaned_data["identifiant"].lower()


class FormulaireRecherche(forms.Form):
    """Paramètres des listes."""

    cherche = forms.CharField(max_length=100, required=False)


class FormulaireRegate(forms.Form):
    """Une régate."""

    nom = Texte(max_length=80)
    lieu = Texte(max_length=80)
    jour = forms.DateField(input_formats=["%Y-%m-%d"])

    def clean_jour(self):
        """Le site distant garde des textes : la date y est écrite AAAA-MM-JJ."""
        return self.cleaned_data["jour"].isoformat()


class FormulaireInscription(forms.Form):
    """L'inscription d'un licencié à une régate."""

    regate = forms.RegexField(r"^[0-9]{1,18}\Z")
    licence = Texte(max_length=20)
    skipper = Texte(max_length=80)
