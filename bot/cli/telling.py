"""What is known of a test, and what a digest says, as a person reads it in a terminal."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.cli.output import plain, say, show_fields, show_table
from core.saying import DigestCard

BARS = "▁▂▃▄▅▆▇█"
Told = Mapping[str, Any]


def tell_test(item: Told) -> None:
    """State, numbers and quarantine of one test."""
    say(named(item))
    say()
    show_fields(dict(_facts(item)))
    story = item.get("quarantine")
    if story:
        say()
        show_fields(dict(_story(story)))


def tell_explanation(name: str, told: Told) -> None:
    """The verdict, what each kind of failure proves, every failure, and what would change it."""
    say(name)
    say(plain(told["headline"], width=500))
    say()
    show_fields(dict(_findings(told)))
    if told.get("lines"):
        say("\nWhat its failures prove")
        rows = (
            (one["strength"], f"{one['counted']} of {one['count']}", one["words"]) for one in told["lines"]
        )
        show_table(("weight", "counted", "what happened"), rows, empty="")
    if told.get("pieces"):
        say("\nFailures, newest first")
        titles = ("when", "commit", "branch", "kind", "fellows", "chance", "counts", "run")
        show_table(titles, map(_piece, told["pieces"]), empty="")
    if told.get("changes"):
        say("\nWhat would change it")
        for line in told["changes"]:
            say(f"  {plain(line, width=300)}")


def tell_digest(card: DigestCard, verdict: str) -> None:
    """The digest's sentence, its chart, its table and its news."""
    say(verdict)
    say()
    show_fields(dict(_period(card)))
    if any(count for _, count in card.daily):
        say(f"\nFailures per day  {sparkline([count for _, count in card.daily])}  newest right")
    if card.worst:
        say()
        rows = ((row.test.name, row.state, f"{row.failed} of {row.runs}", row.score) for row in card.worst)
        show_table(("test", "state", "failed", "score"), rows, empty="")


def sparkline(counts: list[int]) -> str:
    """One character for each count, the tallest for the largest; a dot for none."""
    top = max(counts, default=0) or 1
    return "".join(BARS[(count * len(BARS) - 1) // top] if count else "·" for count in counts)


def named(item: Told) -> str:
    """The name people know, with its id."""
    variant = f" ({item['variant']})" if item["variant"] else ""
    return plain(f"{item['class'] or item['suite']}::{item['name']}{variant}  t-{item['test_id']}", width=500)


def day(value: object) -> str:
    """A time as people write it, in UTC."""
    if isinstance(value, str) and value:
        value = datetime.fromisoformat(value)
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else "-"


def _facts(item: Told) -> Iterator[tuple[str, object]]:
    low, high = item["rate_interval"]
    yield "state", _state(item)
    yield "score", item["score"]
    yield "flake rate", f"{item['rate']:.2%} of runs ({low:.2%} to {high:.1%})"
    yield "last failure", day(item["last_failure"])
    yield "seen", f"{day(item['first_seen'])} to {day(item['last_seen'])}"
    yield "owner", item["owner"] or "nobody by CODEOWNERS"
    yield "file", item["file"]


def _state(item: Told) -> str:
    proof = ", proven on the same commit" if item["confirmed"] else ""
    return f"{item['state'].replace('_', ' ')}{proof}"


def _story(story: Told) -> Iterator[tuple[str, object]]:
    yield "quarantine", f"{story['proposal_id']}, {story['state']}"
    yield "proposed", f"{day(story['proposed_at'])} by {story['proposed_by']}"
    yield "reason", story["reason"]
    if story["decided_at"]:
        yield "decided", f"{day(story['decided_at'])} by {story['decided_by']}"
        yield "because", story["decision_reason"]
    yield "until", day(story["until"]) if story["until"] else ""


def _findings(told: Told) -> Iterator[tuple[str, object]]:
    low, high = told["rate_interval"]
    yield "state", _state(told)
    yield (
        "score",
        f"{told['score']:.3f} = {told['p_flaky']:.3f} flaky x {told['p_active']:.3f} not repaired yet",
    )
    yield "flake rate", f"{told['rate']:.2%} of runs ({low:.2%} to {high:.1%} with 95 % certainty)"
    yield (
        "failed",
        f"{told['failures']} of {told['runs']} runs, {told['trunk_failures']} on the default branch",
    )
    yield "window", f"{told['window_days']} days to {day(told['window_to'])}, policy {told['policy_version']}"
    yield "last runs", f"{told['strip']}  (x failed, newest right)" if told["strip"] else ""
    yield (
        "cost",
        f"{told['runs_failed']} runs red, {told['pull_requests']} pull requests, {told['ci_seconds']:.0f} s of CI",
    )
    yield "message", told.get("message", "")
    yield "since commit", told["since_commit"]


def _piece(piece: Told) -> tuple[object, ...]:
    kind = piece["class"].replace("_", " ")
    run = piece["url"] or piece["run_id"]
    where = piece["branch"] or "-"
    counts = "yes" if piece["counts"] else "no"
    fellows = "alone" if piece["fellows"] <= 1 else f"with {piece['fellows'] - 1}"
    return day(piece["at"]), piece["commit"][:12], where, kind, fellows, f"{piece['chance']:.2f}", counts, run


def _period(card: DigestCard) -> Iterator[tuple[str, object]]:
    yield "period", f"{card.days} days to {day(card.until)}, branch {card.branch}"
    yield (
        "failures",
        f"{card.failures} from {card.tests} flaky tests; {card.failures_before} in the period before",
    )
    yield "hit", f"{card.pull_requests} pull requests, {card.ci_seconds / 60:.0f} min of CI"
    yield "newly flaky", ", ".join(card.new)
    yield "recovered", ", ".join(card.recovered)
    yield "quarantine ends", ", ".join(f"{name} on {when:%Y-%m-%d}" for name, when in card.ending)
    yield "decisions", f"{card.waiting} wait" if card.waiting else "none waits"
    yield "next digest", day(card.next_digest)
