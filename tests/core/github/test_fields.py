import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.github import fields
from core.github.event import WANTED, read_envelope, wanted
from core.github.repository import read_repository
from core.github.workflow import read_pulls, read_workflow_run

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("value", [None, 0, -1, True, "7", 1.5, 2**63, [7]])
def test_what_is_no_id_is_absent(value):
    assert fields.number({"id": value}, "id") is None


def test_text_loses_what_no_database_stores():
    assert fields.text({"a": {"b": "x\x00y\ud800"}}, "a", "b") == "xy?"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"), (1767323045, "2026-01-02T03:04:05+00:00")],
)
def test_times_are_read_from_both_of_githubs_forms(value, expected):
    assert fields.moment({"at": value}, "at").isoformat() == expected


@pytest.mark.parametrize("value", ["yesterday", "", 10**30, True, None, {}])
def test_what_is_no_time_is_absent(value):
    assert fields.moment({"at": value}, "at") is None


def test_a_missing_field_is_named():
    with pytest.raises(fields.PayloadError, match=r"repository\.id"):
        fields.need_number({"repository": {}}, "repository", "id")


@given(JSON)
def test_no_json_raises_anything_but_a_payload_error(data):
    for read in (read_repository, read_workflow_run, read_pulls, lambda one: read_envelope("x", "y", one)):
        with contextlib.suppress(fields.PayloadError):
            read(data)


@pytest.mark.parametrize("name", ["../../etc", "a/..", "a", "a/b/c", "a b/c", "a/b?x", "", "a/b#"])
def test_a_name_that_could_lead_a_request_elsewhere_is_refused(name):
    with pytest.raises(fields.PayloadError):
        read_repository({"id": 1, "full_name": name})


@pytest.mark.parametrize("event", sorted(WANTED))
def test_an_event_is_wanted_only_when_its_body_fits_its_unsigned_header(event):
    action = min(WANTED[event])
    envelope = read_envelope(event, "g", {"action": action})
    assert not wanted(envelope, {"action": action, "zen": {}})
