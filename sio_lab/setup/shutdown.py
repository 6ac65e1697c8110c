"""Stops Incus and every container, for hosts where no systemd does: ``python -m sio_lab.setup.shutdown``."""

from __future__ import annotations

from sio_lab.setup import daemon

if __name__ == "__main__":
    daemon.stop()
