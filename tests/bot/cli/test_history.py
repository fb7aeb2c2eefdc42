"""A history goes out as it came in, and may be replayed under another policy."""

import gzip
import json

import pytest


def line(run, attempt, status, **more):
    return {
        "project": "acme/shop",
        "run_id": str(run),
        "attempt": attempt,
        "job": "unit",
        "variant": "",
        "commit": f"c{run}",
        "branch": "main",
        "base": "",
        "event": "push",
        "pr": "",
        "at": f"2026-01-{run + 1:02}T10:0{attempt}:00+00:00",
        "suite": "s",
        "class": "C",
        "name": "flaky",
        "file": "",
        "status": status,
        "duration": None,
        "message": "",
        **more,
    }


@pytest.fixture
def lines():
    """Five commits; on three of them a test fails and passes when run again; one other test always passes."""
    found = []
    for run in range(5):
        bad = run % 2 == 0
        outcomes = [(1, "failed"), (2, "passed")] if bad else [(1, "passed")]
        for attempt, status in outcomes:
            found.append(line(run, attempt, "passed", name="steady"))
            found.append(
                line(run, attempt, status, message="TimeoutError: slow" if status == "failed" else "")
            )
    return found


@pytest.fixture
def imported(flakeguard, lines, tmp_path):
    file = tmp_path / "results.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    assert flakeguard("import", file).code == 0
    return lines


def test_an_export_is_what_was_imported(flakeguard, imported, tmp_path):
    done = flakeguard("export", "acme/shop", "--output", tmp_path / "out.jsonl", "--json")
    exported = [json.loads(text) for text in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert done.json["results"] == len(imported)
    assert sorted(map(json.dumps, exported)) == sorted(
        map(json.dumps, [dict.fromkeys(exported[0]) | one for one in imported])
    )


def test_the_same_policy_finds_the_same_tests(flakeguard, imported, tmp_path):
    (tmp_path / "policy.json").write_text("{}")
    found = flakeguard("simulate", "acme/shop", "--policy", tmp_path / "policy.json", "--json").json
    assert (found["runs"], found["flaky_now"], found["flaky_then"]) == (8, ["C::flaky"], ["C::flaky"])


@pytest.mark.parametrize("text", ["{", "[]", '{"no_such_setting": 1}', '{"ttl_days": 0}'])
def test_a_policy_that_cannot_be_tried_is_refused(flakeguard, imported, tmp_path, text):
    (tmp_path / "policy.json").write_text(text)
    done = flakeguard("simulate", "acme/shop", "--policy", tmp_path / "policy.json")
    assert (done.code, bool(done.err)) == (1, True)


def tried(flakeguard, tmp_path, text, *more):
    (tmp_path / "policy").write_text(text)
    return flakeguard("simulate", "acme/shop", "--policy", tmp_path / "policy", *more)


def test_a_stricter_policy_flags_fewer_and_says_so(flakeguard, imported, tmp_path):
    found = tried(flakeguard, tmp_path, "[detection]\nnoise = 0.2\n", "--json").json
    assert (found["fewer"], found["more"]) == (["C::flaky"], [])
    assert [(one["test"], one["change"]) for one in found["changes"]] == [("C::flaky", "no longer flagged")]


def test_what_changes_is_listed_and_drawn(flakeguard, imported, tmp_path):
    picture = tmp_path / "days.png"
    done = tried(flakeguard, tmp_path, '{"detection": {"noise": 0.2}}', "--png", picture)
    assert "no longer flagged" in done.out
    assert "today  |█" in done.out
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_detection_setting_in_the_wrong_place_is_shown_its_place(flakeguard, imported, tmp_path):
    assert "below detection" in tried(flakeguard, tmp_path, '{"flag_at": 0.95}').err


@pytest.mark.parametrize("cut", [20, -4])
def test_a_damaged_gzip_file_is_named_and_nothing_is_stored(flakeguard, lines, tmp_path, cut):
    file = tmp_path / "results.jsonl.gz"
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode())[:cut])
    done = flakeguard("import", file)
    assert (done.code, "cut short or damaged" in done.err) == (1, True)
    assert flakeguard("project", "list", "--json").json["items"] == []


def test_bytes_that_are_no_utf8_cost_a_character_and_not_the_file(flakeguard, lines, tmp_path):
    file = tmp_path / "results.jsonl"
    text = "\n".join(map(json.dumps, lines)).replace('"steady"', '"stea dy"').encode()
    file.write_bytes(text.replace(b"stea dy", b"stea\xffdy"))
    assert flakeguard("import", file, "--json").json["results"] == len(lines)
    assert flakeguard("show", "acme/shop", "stea\ufffddy", "--json").json["name"] == "stea\ufffddy"
