"""Carries the folders of the top level into the wheel, where ``sio_lab/paths.py`` finds them."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TRAVELS = ("checks", "playbooks", "templates", "inventories", "Vagrantfile")


class TopLevelFolders(BuildHookInterface):  # type: ignore[type-arg]
    """An editable install reads the checkout itself; only a real wheel needs copies."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folders to the files of the wheel."""
        if version == "editable":
            return
        for name in TRAVELS:
            build_data["force_include"][str(Path(self.root, name))] = f"sio_lab/_data/{name}"
