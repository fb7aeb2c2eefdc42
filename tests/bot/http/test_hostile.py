"""Hostile uploads over HTTP: refused at once, in words for whoever sent them, and nothing is left behind."""

import time

import hostile
import pytest
from reports import junit

AT_ONCE = 2.0
"""Seconds of processor time: the machine may be busy."""
TRIES = 3


def uploads(server, body, **query):
    return server.uploads(None, files=[("report", ("up.xml", body, "application/octet-stream"))], **query)


def processor_time(action):
    """The least of a few tries: this process also imports what it needs first and lets other threads work."""
    times = []
    for _ in range(TRIES):
        begun = time.process_time()
        action()
        times.append(time.process_time() - begun)
    return min(times)


def stored_runs(server):
    return server.get("/runs").json()["total"]


@pytest.mark.parametrize("sent", hostile.REFUSED, ids=str)
def test_it_is_refused_at_once_with_place_and_remedy_and_nothing_is_stored(server, sent):
    body = sent.body()
    assert processor_time(lambda: uploads(server, body)) < AT_ONCE
    answer = uploads(server, body)
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (sent.status, "application/problem+json")
    assert all(word in told["detail"] for word in ("up", *sent.words)), told["detail"]
    assert "Traceback" not in answer.text
    assert stored_runs(server) == 0
    assert uploads(server, junit("test_a")).status_code == 201


@pytest.mark.parametrize("sent", hostile.STRANGE, ids=str)
def test_what_is_strange_but_a_report_is_stored_with_a_warning(server, sent):
    answer = uploads(server, sent.body)
    told = answer.json()
    assert (answer.status_code, told["total"]) == (201, len(sent.cases)), told
    assert any(sent.warning in warning for warning in told["warnings"]) or not sent.warning


def test_more_than_the_wire_may_carry_is_refused(server):
    answer = server.uploads(hostile.REPORT + b" " * (64 * hostile.MIB))
    assert (answer.status_code, stored_runs(server)) == (413, 0)
    assert "64 MB" in answer.json()["detail"]
