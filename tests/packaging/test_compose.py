"""The compose file, as far as it can be judged without Docker: whole, pinned, nothing open that need not be."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_images_of_others_are_pinned(name):
    service = SERVICES[name]
    assert "build" in service or re.search(r":v?\d[\w.-]*$", service["image"])


@pytest.mark.parametrize("name", ["bot", "worker"])
def test_ours_run_without_rights_they_do_not_need(name):
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert "no-new-privileges:true" in service["security_opt"]


def test_only_the_proxy_is_open_to_the_world():
    open_to_all = {
        name
        for name, service in SERVICES.items()
        for port in service.get("ports", [])
        if not port.startswith("127.0.0.1:")
    }
    assert open_to_all == {"proxy"}
    assert SERVICES["proxy"]["profiles"] == ["tls"]


def test_every_volume_used_is_declared_and_nothing_else():
    used = {
        volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])
    }
    assert {name for name in used if not name.startswith(".")} == set(COMPOSE["volumes"])


def test_what_must_be_set_is_asked_for_by_name():
    asked = set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert asked == {"POSTGRES_PASSWORD"}


def test_every_file_that_is_handed_in_exists():
    handed = [
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    ]
    assert [name for name in handed if not (ROOT / name).is_file()] == []


def test_prometheus_asks_a_service_that_serves():
    config = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())
    [job] = config["scrape_configs"]
    hosts = {target.partition(":")[0] for one in job["static_configs"] for target in one["targets"]}
    assert hosts <= {name for name, service in SERVICES.items() if "build" in service}
