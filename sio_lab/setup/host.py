"""Looking at the host; changes nothing. What is needed is said here once, for ``doctor`` and ``bootstrap``."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

OLDEST_INCUS = (6, 0)
"""Version of Incus' oldest long-term release; this one is what the API is used for."""
POOL_GIB = 30
"""Size that the storage pool may grow to: the embedded lab's images and machines take about 6."""
SMALLEST_POOL_GIB = 10
GIB = 1 << 30

LIMITS = {
    "fs.inotify.max_user_instances": 8192,
    "fs.inotify.max_user_watches": 1048576,
    "kernel.keys.maxkeys": 2000,
    "kernel.keys.maxbytes": 2000000,
}
"""What the kernel must grant: containers share one user's quota, and each systemd takes several of it.

Source: https://linuxcontainers.org/incus/docs/main/reference/server_settings/
"""

_DAEMON_PLACES = ("/usr/libexec/incus", "/opt/incus/bin")  # Debian's, Zabbly's


@dataclass(frozen=True, slots=True)
class Need:
    """A program that the host must have.

    Attributes:
        program: name of its executable.
        package: Debian package that brings it.
    """

    program: str
    package: str


NEEDS = (
    Need("incusd", "incus-base"),
    Need("incus", "incus-client"),
    Need("dnsmasq", "dnsmasq-base"),  # Incus asks for its version whenever it makes a bridge
    Need("mkfs.btrfs", "btrfs-progs"),
    Need("mmdebstrap", "mmdebstrap"),
    Need("ssh", "openssh-client"),
)


def find(program: str) -> str | None:
    """Return the path of ``program``, also where a user's PATH does not lead."""
    places = [os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin", *_DAEMON_PLACES]
    return shutil.which(program, path=os.pathsep.join(places))


def missing() -> list[Need]:
    """Return what the host lacks."""
    return [need for need in NEEDS if find(need.program) is None]


def is_root() -> bool:
    """Return whether this process may administer the host."""
    return os.geteuid() == 0


def has_systemd() -> bool:
    """Return whether systemd runs the host (sd_booted(3))."""
    return Path("/run/systemd/system").is_dir()


def release() -> dict[str, str]:
    """Return what the host's os-release(5) says."""
    for place in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            lines = Path(place).read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        pairs = (line.partition("=") for line in lines if "=" in line)
        return {key: value.strip("\"'") for key, _, value in pairs}
    return {}


def is_supported(found: dict[str, str]) -> bool:
    """Return whether packages can be installed here: Debian 12 or later."""
    return (
        found.get("ID") == "debian" and found.get("VERSION_ID", "99").isdigit() and int(found["VERSION_ID"]) >= 12
    )


def has_btrfs() -> bool:
    """Return whether the kernel can mount btrfs, or may load what it takes."""
    if "btrfs" in Path("/proc/filesystems").read_text(encoding="utf-8"):
        return True
    modules = Path("/lib/modules", os.uname().release, "modules.dep")
    try:
        return "/btrfs.ko" in modules.read_text(encoding="utf-8")
    except OSError:
        return False


def low_limits() -> dict[str, int]:
    """Return the limits of the kernel that are too low for a lab, with what they are now."""
    now = {name: int(Path("/proc/sys", *name.split(".")).read_text(encoding="utf-8")) for name in LIMITS}
    return {name: value for name, value in now.items() if value < LIMITS[name]}


def free_gib(path: str = "/var/lib") -> int:
    """Return the free space where Incus keeps its files, in GiB."""
    return shutil.disk_usage(path).free // GIB


def memory_gib() -> float:
    """Return the memory of the host, in GiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB


def bridges_are_filtered() -> bool:
    """Return whether the host's own firewall sees what crosses bridges (br_netfilter)."""
    try:
        return Path("/proc/sys/net/bridge/bridge-nf-call-iptables").read_text(encoding="utf-8").strip() == "1"
    except OSError:
        return False
