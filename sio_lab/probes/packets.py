"""Scapy's packets, to make and to read: nothing is sent from here."""

from scapy.config import conf

# Else each import reads the host's routes, which takes long where a whole lab has its interfaces.
conf.route_autoload = conf.route6_autoload = False

from scapy.layers.dhcp import BOOTP, DHCP  # noqa: E402
from scapy.layers.inet import IP, UDP  # noqa: E402
from scapy.layers.l2 import ARP, Ether  # noqa: E402
from scapy.packet import Packet  # noqa: E402

__all__ = ["ARP", "BOOTP", "DHCP", "IP", "UDP", "Ether", "Packet"]
