#!/usr/bin/env python3
"""Construit le dépôt de composants : le même contenu donne les mêmes octets, donc les mêmes empreintes.

    construire.py SOURCE DÉPÔT URL

SOURCE contient python/ et php/ ; DÉPÔT est le dossier que sert le site ; URL est son adresse. Le dépôt contient
simple/ (PEP 503, pour pip), composer/packages.json (pour Composer) et les archives, dans fichiers/.
"""

import base64
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

# Ce que chaque version apporte de plus que la précédente : les fichiers, sans leur extension.
VERSIONS = {"1.0.0": ["noms", "dates"], "1.1.0": ["noms", "dates", "voiles"]}
DATE = (2026, 1, 1, 0, 0, 0)


def archive(fichiers):
    """Rend les octets d'un zip sans compression : ils ne dépendent ni de l'heure ni de la version de zlib."""
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w", zipfile.ZIP_STORED) as sortie:
        for nom, contenu in fichiers.items():
            entree = zipfile.ZipInfo(nom, DATE)
            entree.create_system = 3  # Unix, quel que soit le système
            entree.external_attr = 0o100644 << 16
            sortie.writestr(entree, contenu)
    return tampon.getvalue()


def roue(source, version, modules):
    """Rend la roue (PEP 427) de la bibliothèque Python."""
    dossier = source / "python" / "capvoile_commun"
    infos = f"capvoile_commun-{version}.dist-info"
    fichiers = {
        "capvoile_commun/__init__.py": (dossier / "__init__.py").read_text("utf-8").replace("VERSION", version),
        **{f"capvoile_commun/{nom}.py": (dossier / f"{nom}.py").read_text("utf-8") for nom in modules},
        f"{infos}/METADATA": f"Metadata-Version: 2.1\nName: capvoile-commun\nVersion: {version}\n"
        "Summary: Ce que partagent les applications de Cap Voile\nLicense: GPL-3.0-or-later\n"
        "Requires-Python: >=3.11\n",
        f"{infos}/WHEEL": "Wheel-Version: 1.0\nGenerator: construire.py\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    lignes = []
    for nom, contenu in fichiers.items():
        empreinte = base64.urlsafe_b64encode(hashlib.sha256(contenu.encode()).digest()).rstrip(b"=").decode()
        lignes.append(f"{nom},sha256={empreinte},{len(contenu.encode())}\n")
    fichiers[f"{infos}/RECORD"] = "".join(lignes) + f"{infos}/RECORD,,\n"
    return archive(fichiers)


def paquet(source, version, modules):
    """Rend le zip de la bibliothèque PHP et sa description pour Composer."""
    description = json.loads((source / "php" / "composer.json").read_text("utf-8")) | {"version": version}
    fichiers = {"composer.json": json.dumps(description, indent=4, ensure_ascii=False) + "\n"}
    for nom in modules:
        classe = nom.capitalize()
        fichiers[f"src/{classe}.php"] = (source / "php" / "src" / f"{classe}.php").read_text("utf-8")
    return archive(fichiers), description


def main(source, depot, url):
    """Écrit le dépôt."""
    liens, paquets = [], {}
    for version, modules in VERSIONS.items():
        nom, octets = f"capvoile_commun-{version}-py3-none-any.whl", roue(source, version, modules)
        ecrire(depot / "fichiers" / nom, octets)
        liens.append(f'<a href="../../fichiers/{nom}#sha256={hashlib.sha256(octets).hexdigest()}">{nom}</a><br>')
        nom, (octets, description) = f"capvoile-commun-{version}.zip", paquet(source, version, modules)
        ecrire(depot / "fichiers" / nom, octets)
        paquets[version] = description | {
            "dist": {
                "type": "zip",
                "url": f"{url}/fichiers/{nom}",
                "reference": version,
                "shasum": hashlib.sha1(
                    octets, usedforsecurity=False
                ).hexdigest(),  # la seule que Composer connaisse
            }
        }
    page = '<!DOCTYPE html>\n<html lang="fr"><meta charset="utf-8"><title>Composants</title>\n{}\n</html>\n'
    ecrire(depot / "simple" / "index.html", page.format('<a href="capvoile-commun/">capvoile-commun</a>').encode())
    ecrire(depot / "simple" / "capvoile-commun" / "index.html", page.format("\n".join(liens)).encode())
    liste = json.dumps({"packages": {"capvoile/commun": paquets}}, indent=1, ensure_ascii=False)
    ecrire(depot / "composer" / "packages.json", f"{liste}\n".encode())


def ecrire(chemin, octets):
    """Écrit un fichier du dépôt."""
    chemin.parent.mkdir(parents=True, exist_ok=True)
    chemin.write_bytes(octets)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].rstrip("/"))
