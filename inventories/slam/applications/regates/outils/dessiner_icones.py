#!/usr/bin/env python3
"""Dessine les icônes de l'application : un voilier, en SVG et en PNG. Bibliothèque standard seule."""

import struct
import zlib
from pathlib import Path

DOSSIER = Path(__file__).resolve().parent.parent / "regates" / "static" / "regates"
FOND, MER, GRAND_VOILE, FOC, COQUE = "#0b2f4e", "#155e8a", "#ffffff", "#d4e3ee", "#e4572e"
# Le dessin, sur une grille de 100 : une couleur et un polygone, du fond vers l'avant.
FORMES = [
    (MER, [(0, 76), (100, 76), (100, 100), (0, 100)]),
    (GRAND_VOILE, [(52, 14), (52, 62), (80, 62)]),
    (FOC, [(47, 24), (47, 62), (24, 62)]),
    (COQUE, [(16, 67), (84, 67), (74, 83), (27, 83)]),
]
FINESSE = 4  # points calculés par côté d'un pixel : les bords sont adoucis


def dedans(x, y, polygone):
    """Dire si le point est dans le polygone : une demi-droite en croise le bord un nombre impair de fois."""
    croise = False
    for (x1, y1), (x2, y2) in zip(polygone, polygone[1:] + polygone[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            croise = not croise
    return croise


def couleur(x, y):
    """Rendre la couleur d'un point du dessin."""
    choisie = FOND
    for teinte, polygone in FORMES:
        if dedans(x, y, polygone):
            choisie = teinte
    return bytes.fromhex(choisie[1:])


def png(cote, marge=0):
    """Rendre l'image ; avec une marge, le terminal peut la découper en rond sans entamer le voilier."""
    grille = cote * FINESSE
    echelle = (100 + 2 * marge) / grille
    lignes = []
    for y in range(cote):
        sommes = [[0, 0, 0] for _ in range(cote)]
        for dy in range(FINESSE):
            for xx in range(grille):
                point = ((xx + 0.5) * echelle - marge, (y * FINESSE + dy + 0.5) * echelle - marge)
                for rang, valeur in enumerate(couleur(min(max(point[0], 0.01), 99.99), min(point[1], 99.99))):
                    sommes[xx // FINESSE][rang] += valeur
        lignes.append(b"\0" + bytes(somme // FINESSE**2 for pixel in sommes for somme in pixel))
    entete = struct.pack(">IIBBBBB", cote, cote, 8, 2, 0, 0, 0)
    morceaux = [(b"IHDR", entete), (b"IDAT", zlib.compress(b"".join(lignes), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(contenu)) + nom + contenu + struct.pack(">I", zlib.crc32(nom + contenu))
        for nom, contenu in morceaux
    )


def svg():
    """Rendre le même dessin, à coins ronds."""
    polygones = "\n".join(
        f'    <polygon fill="{teinte}" points="{" ".join(f"{x},{y}" for x, y in points)}"/>'
        for teinte, points in FORMES
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">\n'
        '  <clipPath id="coins"><rect width="100" height="100" rx="18"/></clipPath>\n'
        '  <g clip-path="url(#coins)">\n'
        f'    <rect width="100" height="100" fill="{FOND}"/>\n{polygones}\n  </g>\n</svg>\n'
    )


if __name__ == "__main__":
    (DOSSIER / "icone.svg").write_text(svg(), encoding="utf-8")
    (DOSSIER / "icone-192.png").write_bytes(png(192))
    (DOSSIER / "icone-512.png").write_bytes(png(512))
    (DOSSIER / "icone-pleine-512.png").write_bytes(png(512, marge=18))
