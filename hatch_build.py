"""Puts the rooms inside `flakeguard/` in the wheel, so that no generic name lands in anybody's site-packages."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOMS = ("bot", "core", "jobs", "storage")
PLACES = {
    "flakeguard.py": "flakeguard/__init__.py",
    "bot/__main__.py": "flakeguard/__main__.py",
    "manifest.yml": "flakeguard/manifest.yml",
    "flakeguard_pytest.py": "flakeguard_pytest.py",
    **{room: f"flakeguard/{room}" for room in ROOMS},
}


class WheelLayout(BuildHookInterface[Any]):
    """An editable install keeps the checkout as it is: a mapped copy would shadow the sources."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Tell hatchling where each source lies in the wheel."""
        if version != "editable":
            build_data["force_include"].update(PLACES)
