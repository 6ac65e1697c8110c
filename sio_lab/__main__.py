"""``python -m sio_lab``: the same as ``sio-lab``."""

from sio_lab.cli import main

main()
