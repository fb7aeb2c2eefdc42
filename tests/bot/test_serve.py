import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOOKED_AT = """
import gc
from bot.serve import keep_what_is_loaded

before = len(gc.get_objects())
keep_what_is_loaded()
print(before, len(gc.get_objects()))
"""


def test_a_full_collection_does_not_look_at_what_was_loaded_to_start():
    told = subprocess.run([sys.executable, "-c", LOOKED_AT], check=True, capture_output=True, text=True)
    before, after = map(int, told.stdout.split())
    assert after < before / 100


@pytest.mark.parametrize(
    ("own", "told"), [("", "http://127.0.0.1:{port}"), ("https://ci.acme.test", "https://ci.acme.test")]
)
def test_links_lead_to_the_port_the_server_listens_on(own, told, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("FLAKEGUARD_DATABASE_URL", f"sqlite:///{tmp_path}/flakeguard.db")
    monkeypatch.delenv("FLAKEGUARD_BASE_URL", raising=False)
    if own:
        monkeypatch.setenv("FLAKEGUARD_BASE_URL", own)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "flakeguard", "serve", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        started = next(json.loads(line) for line in server.stdout if "server.started" in line)
        server.terminate()
    assert started["base_url"] == told.format(port=port)
