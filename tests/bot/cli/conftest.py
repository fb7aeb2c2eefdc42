"""The command line on a database of its own."""

import json
from dataclasses import dataclass

import pytest

from bot.cli import main


@dataclass
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out.strip().splitlines()[-1])


@pytest.fixture
def flakeguard(sqlite_url, tmp_path, monkeypatch, capsys):
    """Run one command as the shell would."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLAKEGUARD_DATABASE_URL", sqlite_url)

    def run(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def project(flakeguard):
    flakeguard("project", "create", "acme/shop")
    return "acme/shop"
