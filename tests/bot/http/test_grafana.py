"""The Grafana dashboard asks only for what /metrics tells."""

import json
import re
from pathlib import Path

import pytest

from bot.http.metrics import Metrics

BOARD = json.loads((Path(__file__).parents[3] / "deploy" / "grafana" / "flakeguard.json").read_text())
EXPRESSIONS = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
PROMETHEUS = {"le", "job", "instance"}
"""Labels that Prometheus itself adds."""


@pytest.fixture(scope="module")
def told():
    """Every series of a process, with its labels."""
    kept = [
        one for one in vars(Metrics()).values() if hasattr(one, "describe") and hasattr(one, "_labelnames")
    ]
    return {
        f"{family.name}{ending}": set(one._labelnames)
        for one in kept
        for family in one.describe()
        for ending in ENDINGS[family.type]
    }


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_panel_asks_for_series_that_exist(told, expression):
    asked = set(re.findall(r"flakeguard_\w+", expression))
    assert asked
    assert asked <= set(told)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_label_is_one_of_its_series(told, expression):
    grouped = {
        name.strip() for names in re.findall(r"by \(([^)]*)\)", expression) for name in names.split(",")
    }
    chosen = set(re.findall(r"(\w+)=~?\"", expression))
    known = set.union(*(told[name] for name in re.findall(r"flakeguard_\w+", expression)))
    assert grouped | chosen <= known | PROMETHEUS


def test_every_metric_has_a_place_on_the_board(told):
    asked = set(re.findall(r"flakeguard_\w+", " ".join(EXPRESSIONS)))
    shown = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in asked}
    assert {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in told} == shown


def test_panels_stand_side_by_side():
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
