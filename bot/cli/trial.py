"""The command that tries another policy on the stored history: a list, a plot in the terminal, a picture."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.opened import opened
from bot.cli.output import Json, emit, note, progress, say, show_fields, show_table
from bot.cli.tenants import REPO, project_of

if TYPE_CHECKING:
    from jobs.simulate import Answer

POLICY = typer.Option(..., "--policy", help="The policy to try: JSON or TOML, only what differs.")
PNG = typer.Option(None, "--png", metavar="FILE", help="Draw flagged tests per day into this picture, too.")
LEVELS = " ▁▂▃▄▅▆▇█"
COLUMNS = 72


def add_commands(app: typer.Typer) -> None:
    """Register it."""
    app.command("simulate")(simulate)


def simulate(repo: str = REPO, policy: Path = POLICY, png: Path | None = PNG, as_json: bool = Json) -> None:
    """Replay the stored history under another policy: who would be flagged, when, and what changes."""
    from bot.cli.reports import content_of
    from jobs.simulate import simulate as replay

    changes = read_policy(content_of(policy), str(policy))
    with opened() as desk:
        project = project_of(desk, repo)
        with progress("replaying") as step:
            answer = replay(desk, project.id, changes, progress=step)
    if png is not None:
        draw(answer, png)
    if as_json:
        emit({**answer.to_dict(), "png": str(png) if png else None})
        return
    _show(answer)
    if png is not None:
        note(f"Drawn into {png}.")


def read_policy(content: bytes, name: str) -> Mapping[str, Any]:
    """The settings a file names; ValidationError says what cannot be read, and where."""
    from core.errors import ValidationError

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError(f"{name} is not UTF-8 text.") from error
    try:
        settings = _parsed(text)
    except ValueError as error:
        raise ValidationError(f"{name} can be read neither as JSON nor as TOML ({error}).") from error
    if not isinstance(settings, dict):
        raise ValidationError(f"{name} holds no settings: an object of names and values is needed.")
    return settings


def _parsed(text: str) -> object:
    """TOML where it can be; else JSON, so that a broken file is told by the format it begins like."""
    if text.lstrip().startswith("{"):
        return json.loads(text)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        if text.lstrip().startswith("[") and text.rstrip().endswith("]"):
            return json.loads(text)
        raise


def _show(answer: "Answer") -> None:
    told = answer.to_dict()
    show_fields(
        {
            "runs": told["runs"],
            "flagged by today's policy": told["flagged_now"],
            "flagged by the policy tried": told["flagged_then"],
            "flaky now": len(told["flaky_now"]),
            "flaky then": len(told["flaky_then"]),
        }
    )
    say()
    rows = ((one["change"], _day(one["now"]), _day(one["then"]), one["test"]) for one in told["changes"])
    show_table(
        ("change", "today", "tried", "test"), rows, empty="The same tests would be flagged at the same time."
    )
    for line in plot(told["per_day"]):
        say(line)


def _day(spell: Mapping[str, Any] | None) -> str:
    return str(spell["flagged_at"])[:16].replace("T", " ") if spell else "-"


def plot(per_day: Sequence[Mapping[str, Any]]) -> list[str]:
    """Flagged tests at the end of each day with a change, today's policy above the one tried."""
    if not per_day:
        return []
    days = _filled(per_day)
    most = max(max(now, then) for _, now, then in days)
    now, then = _bars([day[1] for day in days], most), _bars([day[2] for day in days], most)
    axis = f"{days[0][0]} to {days[-1][0]}, at most {most} flagged at once"
    return ["", f"today  |{now}|", f"tried  |{then}|", f"        {axis}"]


def _filled(per_day: Sequence[Mapping[str, Any]]) -> list[tuple[str, int, int]]:
    """Every day from the first to the last change: between changes the counts stay."""
    from datetime import date, timedelta

    known = {date.fromisoformat(one["day"]): (one["now"], one["then"]) for one in per_day}
    day, last, counts, filled = min(known), max(known), (0, 0), []
    while day <= last:
        counts = known.get(day, counts)
        filled.append((day.isoformat(), *counts))
        day += timedelta(days=1)
    return filled


def _bars(counts: Sequence[int], most: int) -> str:
    """One character a day, or the highest of several days where they are too many."""
    step = -(-len(counts) // COLUMNS)
    columns = [max(counts[at : at + step]) for at in range(0, len(counts), step)]
    return "".join(LEVELS[-(-count * (len(LEVELS) - 1) // max(1, most))] for count in columns)


def draw(answer: "Answer", file: Path) -> None:
    """The same as a picture."""
    from core.errors import ValidationError

    try:
        import matplotlib as mpl
    except ImportError as error:
        raise ValidationError("Pictures need matplotlib: install flakeguard[plot].") from error
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    days = answer.found.per_day
    figure, axes = plt.subplots(figsize=(8, 3.6))
    at: Any = [day.at for day in days]
    axes.step(at, [day.old for day in days], where="post", label="today's policy", color="#8c959f")
    axes.step(at, [day.new for day in days], where="post", label="policy tried", color="#1f6feb")
    axes.set_ylabel("flagged tests")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    figure.autofmt_xdate()
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    plt.close(figure)
