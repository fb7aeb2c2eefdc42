"""The house's rules are enforced: breaking one on purpose breaks the build."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("bot", "core", "jobs", "storage")
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    house = tmp_path_factory.mktemp("house")
    for room in ROOMS:
        shutil.copytree(ROOT / room, house / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", house)
    return house


def lint_imports(house):
    command = [BIN / "lint-imports", "--no-cache"]
    return subprocess.run(command, cwd=house, capture_output=True, text=True, check=False)


def test_the_house_as_it_stands_keeps_its_import_rules(copy):
    done = lint_imports(copy)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("core/token.py", "import storage.database"),
        ("core/token.py", "import sqlalchemy"),
        ("storage/audit.py", "import jobs.desk"),
        ("jobs/expire.py", "import bot.settings"),
        ("jobs/expire.py", "import sqlmodel"),
        ("jobs/expire.py", "import httpx"),
        ("bot/log.py", "import psycopg"),
    ],
)
def test_an_import_against_the_rules_breaks_the_build(copy, file, line):
    target = copy / file
    healthy = target.read_text()
    target.write_text(healthy + f"\n{line}\n")

    done = lint_imports(copy)

    target.write_text(healthy)
    assert done.returncode != 0, done.stdout


@pytest.mark.parametrize(
    "line", ["import os\nHOME = os.environ['HOME']", "from datetime import datetime\nNOW = datetime.now()"]
)
@pytest.mark.parametrize("room", ["core", "jobs", "storage"])
def test_reading_the_clock_or_the_environment_breaks_the_build(copy, room, line):
    target = copy / room / "sneaky.py"
    target.write_text(f'"""Sneaky."""\n\n{line}\n')

    command = [BIN / "ruff", "check", "--no-cache", "--select", "TID251", target]
    done = subprocess.run(command, cwd=copy, capture_output=True, check=False)

    target.unlink()
    assert done.returncode == 1


def test_every_setting_stands_in_the_example_file():
    text = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))

    assert named == {field.alias for field in Settings.model_fields.values()}
