"""Numbers, dates and names in the words of every message."""

from datetime import UTC, datetime

from bot.slack.escape import cut, line, middle
from core import naming
from core.report import TestKey
from core.saying import TestView

MAX_SHORT_NAME = 60
MAX_LABEL = 75
ALMOST_CERTAIN, PROBABLE = 0.90, 0.60
"""The bands of detection's own states: `flaky` begins at the first, `suspected` at the second."""


def number(value: int) -> str:
    """1204 -> "1,204"."""
    return f"{value:,}"


def count(value: int, noun: str, many: str = "") -> str:
    """(1, "test") -> "1 test"; (2, "test") -> "2 tests"."""
    return f"{number(value)} {noun if value == 1 else many or noun + 's'}"


def percent(part: float) -> str:
    """0.0424 -> "4.2 %"; whole numbers from ten upwards."""
    value = part * 100
    return f"{value:.0f} %" if value >= 10 or value == 0 else f"{value:.1f} %"  # noqa: PLR2004 - two digits


def duration(seconds: float) -> str:
    """11400 -> "3 h 10 min"; under a minute in seconds."""
    minutes = round(seconds / 60)
    if minutes == 0:
        return f"{seconds:.0f} s"
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{number(hours)} h {rest} min" if rest else f"{number(hours)} h"


def of_runs(failed: int, runs: int) -> str:
    """Every number with its base: "9 of 212 runs"."""
    return f"{number(failed)} of {count(runs, 'run')}"


def score_words(score: float) -> str:
    """How sure, in words; the bands are those of the states."""
    if score >= ALMOST_CERTAIN:
        return "almost certainly flaky"
    return "probably flaky" if score >= PROBABLE else "perhaps flaky"


def plain_day(at: datetime) -> str:
    """A day for places that know no date tokens, in UTC: "6 Dec"."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b}"


def full_day(at: datetime) -> str:
    """Day and year in UTC: "6 Dec 2026"."""
    return f"{plain_day(at)} {at.astimezone(UTC).year}"


def full_moment(at: datetime) -> str:
    """Day and time in UTC: "6 Dec 2026, 14:05 UTC"."""
    return f"{full_day(at)}, {at.astimezone(UTC):%H:%M} UTC"


def day(at: datetime) -> str:
    """A mrkdwn date token that the reader's client puts into the reader's zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}}|{full_day(at)}>"


def moment(at: datetime) -> str:
    """Day and time as a mrkdwn date token."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{full_moment(at)}>"


def clock(at: datetime) -> str:
    """The time of day as a mrkdwn date token."""
    return f"<!date^{int(at.timestamp())}^{{time}}|{full_moment(at)}>"


def short_name(test: TestView) -> str:
    """The last segment without parameters, at most 60 characters."""
    return middle(line(naming.short_name(_key(test)) or test.class_name, 500), MAX_SHORT_NAME)


def full_id(test: TestView, limit: int = 1000) -> str:
    """The whole name as people find it in their sources: file::Class::name, variant behind."""
    return line(naming.full_name(_key(test)), limit)


def _key(test: TestView) -> TestKey:
    return TestKey(test.suite, test.class_name, test.name, test.file, test.variant)


def label(before: str, name: str, after: str = "") -> str:
    """What a screen reader says for a button: the name is cut, never the verb."""
    room = MAX_LABEL - len(before) - len(after)
    return before + middle(name, max(room, 8)) + after if room > 0 else cut(before + after, MAX_LABEL)


def strip(outcomes: tuple[bool, ...]) -> str:
    """The last runs as a strip of two shapes, newest right."""
    return "".join("✓" if passed else "✗" for passed in outcomes)


def listing(names: tuple[str, ...], shown: int = 2) -> tuple[tuple[str, ...], str]:
    """At most `shown` names and what to say about the others: " and 1 more"."""
    rest = len(names) - shown
    return names[:shown], f" and {number(rest)} more" if rest > 0 else ""
