"""The pytest plugin, in a pytest of its own: quarantined failures do not fail the session, and are not lost."""

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest

import flakeguard_pytest
from bot.settings import environment
from core.junit import read_report

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest

def test_steady(): pass
def test_flaky(): assert 1 == 2
@pytest.mark.parametrize("n", [1, 2])
def test_cases(n): assert n == 1
class TestGroup:
    @pytest.fixture
    def broken(self): raise OSError("no room")
    def test_setup(self, broken): pass
"""


def entry(class_name, name, **more):
    return {"class": class_name, "name": name, "variant": "", "proposal_id": "q-1", **more}


class Lists:
    """A server with a quarantine list of many pages."""

    def __init__(self):
        self.entries, self.page = [], 2
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                offset = int(parse_qs(urlsplit(self.path).query)["offset"][0])
                items = outer.entries[offset : offset + outer.page]
                self.send_response(200 if self.headers["Authorization"] == "Bearer fg_x" else 401)
                self.end_headers()
                self.wfile.write(json.dumps({"items": items, "total": len(outer.entries)}).encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def lists():
    lists = Lists()
    yield lists
    lists.server.shutdown()
    lists.server.server_close()


@pytest.fixture
def session(lists, tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_shop.py").write_text(TESTS)

    def run(*words, **env):
        kept = {name: value for name, value in environment().items() if name in {"PATH", "HOME"}}
        settings = {"FLAKEGUARD_URL": lists.url, "FLAKEGUARD_TOKEN": "fg_x", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:randomly", "--junitxml=out.xml", *words],
            cwd=tmp_path,
            env=kept | settings | env,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


EVERYTHING = [
    entry("tests.test_shop", "test_flaky"),
    entry("tests.test_shop", "test_cases[2]"),
    entry("tests.test_shop.TestGroup", "test_setup"),
    entry("tests.test_shop", "test_gone"),
]


def test_quarantined_failures_do_not_fail_the_session(session, lists):
    lists.entries = EVERYTHING
    code, output = session("--flakeguard")
    assert (code, "2 passed, 3 xfailed" in output, "4 tests in quarantine" in output) == (0, True, True), (
        output
    )


def test_one_that_is_not_quarantined_still_fails_it(session, lists):
    lists.entries = EVERYTHING[:2]
    code, output = session("--flakeguard")
    assert (code, "2 passed, 2 xfailed, 1 error" in output) == (1, True), output


def test_a_pass_of_a_quarantined_test_is_fine(session, lists):
    lists.entries = [*EVERYTHING, entry("tests.test_shop", "test_steady")]
    assert session("--flakeguard")[0] == 0


def test_the_report_keeps_what_failed(session, lists, tmp_path):
    lists.entries = EVERYTHING
    session("--flakeguard")
    told = [mark.get("message") for mark in ET.parse(tmp_path / "out.xml").iter("skipped")]
    assert told[0].startswith("quarantined by FlakeGuard (q-1): ")
    assert "assert 1 == 2" in told[0]
    report = read_report((tmp_path / "out.xml").read_bytes())
    failed = [case.key.name for case in report.cases if case.outcome.bad]
    assert failed == ["test_flaky", "test_cases[2]", "test_setup"]


def test_workers_of_xdist_are_told(session, lists):
    lists.entries = EVERYTHING
    code, output = session("--flakeguard", "-n", "2")
    assert (code, "3 xfailed" in output) == (0, True), output


@pytest.mark.parametrize(
    ("words", "env"),
    [
        ((), {}),
        (("--flakeguard",), {"FLAKEGUARD_TOKEN": "wrong"}),
        (("--flakeguard",), {"FLAKEGUARD_URL": "http://127.0.0.1:9"}),
        (("--flakeguard",), {"FLAKEGUARD_URL": ""}),
    ],
    ids=["not asked for", "refused", "unreachable", "not configured"],
)
def test_without_the_list_every_failure_counts(session, lists, words, env):
    lists.entries = EVERYTHING
    code, output = session(*words, **env)
    assert (code, "nothing is quarantined" in output) == (1, bool(words)), output


def test_an_entry_of_another_matrix_cell_is_not_about_this_session(session, lists):
    lists.entries = [{**one, "variant": "3.12"} for one in EVERYTHING]
    assert session("--flakeguard")[0] == 1
    assert session(FLAKEGUARD_PYTEST="1", FLAKEGUARD_VARIANT="3.12")[0] == 0


@pytest.mark.parametrize(
    ("nodeid", "address"),
    [
        ("tests/test_a.py::test_x", ("tests.test_a", "test_x")),
        ("test_a.py::TestB::test_x[a::b/c]", ("test_a.TestB", "test_x[a::b/c]")),
        ("a/b/test_c.py::TestD::TestE::test_f", ("a.b.test_c.TestD.TestE", "test_f")),
    ],
)
def test_a_test_is_addressed_as_pytests_own_report_does(nodeid, address):
    assert flakeguard_pytest.address(nodeid) == address
