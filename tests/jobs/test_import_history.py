from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from core.errors import ValidationError
from jobs.import_history import import_history, read_history
from storage.detection import detections, transitions

DAY = timedelta(days=1)


def lines(shop, runs=40, *, flaky_every=4, begin=None):
    """A history of one flaky and one calm test, a run every six hours."""
    begin = begin or shop.clock() - 10 * DAY
    for number in range(runs):
        at = (begin + timedelta(hours=6 * number)).isoformat()
        base = {
            "project": "acme/web",
            "run_id": f"h{number}",
            "commit": f"c{number}",
            "branch": "main",
            "at": at,
        }
        ends = ["failed", "passed"] if number % flaky_every == 1 else ["passed"]
        for status in ends:
            yield {
                **base,
                "suite": "web",
                "name": "test_login",
                "status": status,
                "duration": 0.1,
                "message": "boom",
            }
        yield {**base, "suite": "web", "name": "test_calm", "status": "passed"}


def imports(shop, told, desk=None):
    history = read_history(enumerate(told, 1))["acme/web"]
    return import_history(desk or shop.desk, shop.project.id, history)


def seen(shop):
    with shop.database.read() as tx:
        states = [(one.test_id, one.state, round(one.score, 9)) for one in detections(tx, shop.project.id)[0]]
        changes = [
            (one.test_id, one.at, one.before, one.after)
            for one in transitions(tx, shop.project.id, limit=500)[0]
        ]
    return states, changes


def test_a_history_is_stored_scored_and_asked_about(shop):
    answer = imports(shop, lines(shop))
    assert (answer.runs, answer.results, answer.duplicates, answer.conflicts) == (40, 80, 0, 0)
    assert len(answer.proposals) == 1
    assert shop.latest("test_login").evidence["state"] == "flaky"


def test_a_second_import_changes_nothing(shop):
    imports(shop, lines(shop))
    before = seen(shop)
    again = imports(shop, lines(shop))
    assert (again.runs, again.duplicates, again.proposals) == (0, 40, [])
    assert seen(shop) == before


def test_an_import_in_two_halves_is_the_import_of_the_whole(small_shop, sqlite_template, tmp_path):
    whole = list(lines(small_shop))
    imports(small_shop, whole)
    other = type(small_shop)(_copy(sqlite_template, tmp_path))
    middle = len(whole) // 2
    imports(other, whole[:middle])
    imports(other, whole[middle:])
    assert seen(other)[0] == seen(small_shop)[0]
    other.database.close()


def _copy(template, tmp_path):
    import shutil  # noqa: PLC0415 - beside its only use

    from storage.database import Database  # noqa: PLC0415 - beside its only use

    shutil.copyfile(template, tmp_path / "other.db")
    return Database.open(f"sqlite:///{tmp_path / 'other.db'}")


def test_a_history_of_last_year_is_asked_about_by_its_own_time(small_shop):
    answer = imports(small_shop, lines(small_shop, begin=small_shop.clock() - 300 * DAY))
    assert len(answer.proposals) == 1


def test_many_flaky_tests_of_a_history_are_no_storm(small_shop):
    told = []
    for letter in "abcdefgh":
        mine = {"name": f"test_{letter}", "message": f"{letter} broke", "job": letter}
        told += [{**line, **mine} for line in lines(small_shop) if line["name"] == "test_login"]
    small_shop.policy(max_share=1.0)
    assert len(imports(small_shop, told).proposals) == 8


def test_uploads_during_an_import_are_not_locked_out(shop):
    told = list(lines(shop, runs=250))
    with ThreadPoolExecutor(2) as pool:
        importing = pool.submit(imports, shop, told)
        for _ in range(5):
            shop.uploads(desk=shop.other_desk(), test_login="passed", test_new="passed")
        assert importing.result().runs == 250


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "green"}, "status"),
        ({"at": "yesterday"}, "ISO 8601"),
        ({"name": ""}, "no name"),
        ({"run_id": None}, "no run_id"),
        ({"commit": ""}, "no commit"),
        ({"attempt": 0}, "attempt"),
        ({"attempt": "x"}, "whole number"),
        ({"project": ""}, "names no project"),
        ({"attempt": [1]}, "whole number"),
        ({"at": "0001-01-01T00:00:00+23:59"}, "ISO 8601"),
        ({"at": "9999-12-31T23:59:59Z"}, "between 1990 and 2100"),
        ({"status": ["passed"]}, "status"),
        ({"name": ["x"]}, "must be text"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(small_shop, change, why):
    [line, *_] = lines(small_shop)
    with pytest.raises(ValidationError, match=why) as caught:
        read_history([(7, {**line, **change})])
    assert caught.value.details["line"] == 7


@pytest.mark.parametrize("duration", [[], {}, "fast", -1, float("nan"), float("inf"), 1e9, True, None])
def test_an_impossible_duration_is_unknown_and_no_reason_to_refuse(small_shop, duration):
    [line, *_] = lines(small_shop)
    history = read_history([(1, {**line, "duration": duration})])["acme/web"]
    [run] = history.in_order()
    [case] = run.cases()
    assert case.attempts[0].duration in {None, 1.0}


def test_progress_reaches_the_end(small_shop):
    steps = []
    history = read_history(enumerate(lines(small_shop, runs=150), 1))["acme/web"]
    import_history(small_shop.desk, small_shop.project.id, history, progress=lambda *step: steps.append(step))
    assert steps == [(100, 150), (150, 150)]
