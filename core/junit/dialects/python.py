"""pytest (with rerunfailures and xdist), unittest-xml-reporting, nose2, behave, Robot Framework, Avocado, Ansible."""

import html
import re

from core.identity import stable_file
from core.junit.dialects.base import (
    SEPARATOR,
    Dialect,
    Key,
    Repeats,
    around,
    bad,
    nameless,
    plain_key,
    shaped,
)
from core.junit.raw import Evidence, RawCase
from core.report import Attempt, Outcome

_SUBTEST = re.compile(r"(\w+) (?:\[.*\]|\(.*\))")
_nose = shaped("testsuite", ("name", "tests", "errors", "failures", "skip"))
_CONTEXT = "ContextSuite context="
_STAMPED = re.compile(r"^(.+)-\d{14}$")
_PYTEST_ORDER = ("name", "errors", "failures", "skipped", "tests", "time", "timestamp", "hostname")
_pytest_shaped = shaped("testsuites", _PYTEST_ORDER, sorted(_PYTEST_ORDER))
"""Before 6.2 the attributes were sorted."""

_robot_shaped = shaped("testsuite", ("name", "tests", "errors", "failures", "skipped", "time", "timestamp"))
_MERGED = re.compile(
    r"\*HTML\* <span class=\"merge\">.*?<span class=\"new-message\">New message:</span> (.*?)<br><hr>"
    r"<span class=\"old-status\">Old status:</span> <span class=\"fail\">FAIL</span><br>"
    r"<span class=\"old-message\">Old message:</span> (.*?)<br>",
    re.DOTALL,
)
_JOB = re.compile(r"job-\d{4}-\d\d-\d\dT\d\d\.\d\d-[0-9a-f]{7}$")
_TASK = re.compile(r"(.+\.ya?ml):\d+$")


def _pytest(seen: Evidence) -> bool:
    """Before 8.4 nothing but the order of attributes gives pytest away when `junit_suite_name` is set."""
    if seen.attributes.get("name") == "pytest tests" or seen.suite_attributes.get("name") == "pytest":
        return True
    return not seen.attributes and _pytest_shaped(seen)


def _uncounted(seen: Evidence) -> bool:
    """pytest counts each test once, so that a rerun makes an entry more than it counts.

    Where the numbers agree, something else put a test into the list twice: pytest-flakefinder, a collector of its own.
    """  # noqa: D403 - the tool's name
    return seen.suite_attributes.get("tests") != str(seen.cases)


def _collection(raw: RawCase) -> str | None:
    """A module that could not be imported is an entry without a class, or with `junit_prefix` as its class."""
    errors = [mark for mark in raw.marks if mark.tag == "error"]
    if errors and (not raw.class_name or errors[0].message == "collection failure"):
        return raw.name or "collection"
    return nameless(raw)


def _xmlrunner(seen: Evidence) -> bool:
    return (
        bool(_STAMPED.match(seen.suite_attributes.get("name", ""))) and "timestamp" in seen.suite_attributes
    )


def _without_stamp(raw: RawCase) -> Key:
    """A failing subtest is an entry of its own, which is absent when it passes: it belongs to its test."""
    _, class_name, name, file, variant = plain_key(raw)
    path = (stamped[1] if (stamped := _STAMPED.match(part)) else part for part in raw.suite.path)
    test = _SUBTEST.match(name)
    return SEPARATOR.join(path), class_name, test[1] if test else name, file, variant


def _green(seen: Evidence) -> bool:
    orders = tuple(seen.attributes), tuple(seen.suite_attributes)
    return orders == (("time",), ("name", "tests", "failures", "errors", "skipped", "time"))


def _context(raw: RawCase) -> str | None:
    """Of a fixture nose writes the repr of a suite, cut into class and name at its last dot."""
    if bad(raw) and raw.name.startswith(_CONTEXT):
        return raw.name.removeprefix(_CONTEXT).replace(">", "")
    return around(raw)


def _unexpected(raw: RawCase) -> Outcome | None:
    """nose2 calls an unexpected success skipped; unittest fails the run for it."""
    return Outcome.FAILED if raw.marks[0].message == "test passes unexpectedly" else None


def _quarantined(raw: RawCase) -> Outcome | None:
    """Our own plugin makes a quarantined failure an expected one; it must go on counting as a failure."""
    return Outcome.FAILED if raw.marks[0].message.startswith("quarantined by FlakeGuard") else None


def _behave(seen: Evidence) -> bool:
    known = {"passed", "failed", "skipped", "untested", "undefined", "error", "hook_error"}
    first = seen.first_case
    return (
        first is not None
        and first.status in known
        and seen.root == "testsuite"
        and "hostname" in seen.suite_attributes
    )


def _merged(_raw: RawCase, attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """`rebot --merge` tells both runs of a test that failed twice in one message, in HTML."""
    last = attempts[-1]
    told = _MERGED.search(last.message or "")
    if told is None:
        return attempts
    new, old = (html.unescape(message) for message in told.groups())
    return Attempt(last.outcome, None, old or None), last._replace(message=new or None)


def _without_job(raw: RawCase) -> Key:
    """Avocado names the suite by the time and the number of the job."""
    _, class_name, name, file, variant = plain_key(raw)
    path = (part for part in raw.suite.path if not _JOB.match(part))
    return SEPARATOR.join(path), class_name, name, file, variant


def _ansible(seen: Evidence) -> bool:
    first = seen.first_case
    return first is not None and first.name.startswith("[") and _TASK.match(first.class_name) is not None


def _of_playbook(raw: RawCase) -> Key:
    """Ansible names the class by file and line of the task."""
    suite, class_name, name, file, variant = plain_key(raw)
    task = _TASK.match(class_name)
    playbook = stable_file(task[1]) if task else class_name
    return suite, playbook, name, file or (playbook if task else ""), variant


DIALECTS = (
    Dialect(
        name="pytest",
        claims=_pytest,
        repeats=Repeats.RERUNS_UNLESS_SKIPPED,
        reran=_uncounted,
        suite_error=_collection,
        skipped_means=_quarantined,
    ),
    Dialect(name="unittest-xml-reporting", claims=_xmlrunner, key=_without_stamp, repeats=Repeats.PARTS),
    # The failing subtests of a test are entries of its name.
    Dialect(name="green", claims=_green, repeats=Repeats.PARTS),
    Dialect(name="nose", claims=_nose, suite_error=_context),
    Dialect(
        name="nose2",
        claims=lambda seen: seen.suite_attributes.get("name") == "nose2-junit",
        skipped_means=_unexpected,
    ),
    Dialect(name="behave", claims=_behave),
    Dialect(
        name="avocado",
        claims=lambda seen: _JOB.match(seen.suite_attributes.get("name", "")) is not None,
        key=_without_job,
    ),
    # The order of their attributes is the same.
    Dialect(name="robot", claims=_robot_shaped, retold=_merged),
    Dialect(name="ansible", claims=_ansible, key=_of_playbook),
)
