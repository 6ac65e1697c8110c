"""Scapy's packets, to make and to read: nothing is sent from here."""

from scapy.config import conf
from scapy.interfaces import NetworkInterfaceDict

# Else each import reads the host's routes and interfaces, which takes long where a whole lab has its own.
conf.route_autoload = conf.route6_autoload = False
_reload, NetworkInterfaceDict.reload = NetworkInterfaceDict.reload, lambda self: None  # type: ignore[method-assign]  # noqa: ARG005

from scapy.layers.dhcp import BOOTP, DHCP  # noqa: E402
from scapy.layers.inet import IP, TCP, UDP  # noqa: E402
from scapy.layers.l2 import ARP, Ether  # noqa: E402
from scapy.packet import Packet  # noqa: E402

NetworkInterfaceDict.reload = _reload  # type: ignore[method-assign]

__all__ = ["ARP", "BOOTP", "DHCP", "IP", "TCP", "UDP", "Ether", "Packet"]
