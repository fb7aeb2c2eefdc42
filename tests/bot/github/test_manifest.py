import json
from pathlib import Path

import pytest

from core.github.event import WANTED

ROOT = Path(__file__).parents[3]
MANIFEST = json.loads((ROOT / "github-app.json").read_text())
ALWAYS_SENT = {"installation", "installation_repositories", "installation_target"}
"""GitHub sends these to every App and takes no subscription for them."""


def test_the_app_subscribes_to_what_it_handles_and_to_nothing_else():
    assert set(MANIFEST["default_events"]) == set(WANTED) - ALWAYS_SENT


@pytest.mark.parametrize(("permission", "level"), sorted(MANIFEST["default_permissions"].items()))
def test_every_permission_is_explained(permission, level):
    assert f"| `{permission}` | {level} |" in (ROOT / "docs" / "github.md").read_text()


@pytest.mark.parametrize("event", sorted(WANTED))
def test_every_event_is_explained(event):
    assert f"| `{event}` |" in (ROOT / "docs" / "github.md").read_text()
