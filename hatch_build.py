"""Carries the folders of the top level into the wheel, where ``sio_lab/paths.py`` finds them."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TRAVELS = ("checks", "playbooks", "templates", "inventories", "Vagrantfile")
STAYS = {"__pycache__", "reports", ".vagrant"}
"""What tools leave beside our files: reports hold what was seen on somebody's machines."""


class TopLevelFolders(BuildHookInterface):  # type: ignore[type-arg]
    """An editable install reads the checkout itself; only a real wheel needs copies."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files of the folders to those of the wheel."""
        if version == "editable":
            return
        root = Path(self.root)
        for name in TRAVELS:
            for file in (root / name).rglob("*") if (root / name).is_dir() else [root / name]:
                place = file.relative_to(root)
                if file.is_file() and STAYS.isdisjoint(place.parts):
                    build_data["force_include"][str(file)] = f"sio_lab/_data/{place}"
