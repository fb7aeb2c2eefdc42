"""Hostile files on the command line: one sentence each, no traceback, and the good file beside them is read."""

import hostile
import pytest
from reports import junit


@pytest.fixture
def bad(tmp_path):
    return tmp_path / "up.xml"


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.xml"
    path.write_bytes(junit("test_a"))
    return path


@pytest.mark.parametrize("sent", hostile.REFUSED, ids=str)
def test_parse_says_what_is_wrong_and_reads_the_rest(flakeguard, bad, good, sent):
    bad.write_bytes(sent.body())
    done = flakeguard("parse", bad, good, "--json")
    assert (done.code, [report["file"] for report in done.json["reports"]]) == (1, [str(good)])
    assert all(word in done.err for word in ("up.xml", *sent.words)), done.err
    assert "Traceback" not in done.out + done.err


@pytest.mark.parametrize("sent", hostile.STRANGE, ids=str)
def test_parse_reads_what_is_strange_but_a_report(flakeguard, bad, sent):
    bad.write_bytes(sent.body)
    (report,) = flakeguard("parse", bad, "--json").json["reports"]
    assert tuple((test["name"], test["duration"]) for test in report["tests"]) == sent.cases
    assert any(sent.warning in warning for warning in report["warnings"]) or not sent.warning


@pytest.mark.parametrize("sent", hostile.REFUSED[:: len(hostile.REFUSED) // 12], ids=str)
def test_ingest_stores_nothing_of_a_hostile_file(flakeguard, project, bad, good, sent):
    bad.write_bytes(sent.body())
    words = ("--run-id", "1", "--commit", "c", "--branch", "main", "--project", project)
    done = flakeguard("ingest", bad, *words)
    assert (done.code, "Traceback" in done.out + done.err) == (1, False)
    assert flakeguard("ingest", good, *words).code == 0
