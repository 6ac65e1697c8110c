"""Systems that a lab file may name. Which of them can really be had is the provider's matter."""

from __future__ import annotations

# System → versions, named as the public image servers of Incus name them (images:debian/13), plus Windows,
# which only Vagrant boxes or images of one's own provide.
KNOWN: dict[str, tuple[str, ...]] = {
    "almalinux": ("8", "9", "10"),
    "alpine": ("3.19", "3.20", "3.21", "3.22", "3.23", "edge"),
    "archlinux": ("current",),
    "centos": ("9-Stream", "10-Stream"),
    "debian": ("11", "12", "13", "14"),
    "devuan": ("chimaera", "daedalus", "excalibur"),
    "fedora": ("40", "41", "42", "43"),
    "freebsd": ("13", "14", "15"),
    "opensuse": ("15.5", "15.6", "16.0", "tumbleweed"),
    "openwrt": ("22.03", "23.05", "24.10"),
    "oracle": ("8", "9", "10"),
    "rockylinux": ("8", "9", "10"),
    "ubuntu": ("20.04", "22.04", "24.04", "26.04", "focal", "jammy", "noble"),
    "windows": ("10", "11", "2016", "2019", "2022", "2025"),
}
_VARIANTS = {"", "default", "cloud", "desktop", "desktop-gnome", "desktop-kde"}


def is_known(image: str) -> bool:
    """Return whether ``image`` names a known system: ``debian/13``, ``images:rockylinux/9/cloud``."""
    name = image.removeprefix("images:")
    system, _, rest = name.partition("/")
    version, _, variant = rest.partition("/")
    return version in KNOWN.get(system, ()) and variant in _VARIANTS


def names() -> list[str]:
    """Return every known ``system/version``."""
    return [f"{system}/{version}" for system, versions in KNOWN.items() for version in versions]
