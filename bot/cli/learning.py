"""The command around learning: show what decisions have taught, and choose the chances to judge by."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.opened import opened, operator
from bot.cli.output import Json, emit, note, say, show_fields, show_table
from bot.cli.tenants import REPO, project_of

if TYPE_CHECKING:
    from core.policy import Policy
    from core.tenancy import Project
    from jobs.desk import Desk


class Chances(StrEnum):
    """Which chances to judge by."""

    LEARNT = "learnt"
    SHIPPED = "shipped"
    EARLIER = "earlier"


USE = typer.Option(
    None,
    "--use",
    help="Judge from now on by the chances learnt so far, by the shipped ones, or by those before the last change.",
)


def add_commands(app: typer.Typer) -> None:
    """Register it."""
    app.command("learn")(learn)


def learn(repo: str = REPO, use: Chances | None = USE, as_json: bool = Json) -> None:
    """Show what approvals and denials have taught, and how well the chances were calibrated."""
    from jobs.learn import schooling

    with opened() as desk:
        project = project_of(desk, repo)
        if use is not None:
            policy = _choose(desk, project, use)
            note(f"Judged by policy version {policy.version} now.")
        with desk.database.read() as tx:
            found = schooling(tx, project).to_dict()
    if as_json:
        emit(found)
        return
    _show(found)


def _choose(desk: "Desk", project: "Project", use: Chances) -> "Policy":
    from jobs.learn import use_earlier, use_learnt, use_shipped

    jobs = {Chances.LEARNT: use_learnt, Chances.SHIPPED: use_shipped, Chances.EARLIER: use_earlier}
    return jobs[use](desk, project.id, by=operator())


def _show(found: dict[str, Any]) -> None:
    names = ("in_force", "up_to_date", "policy_version", "decisions", "approved", "real_bugs")
    show_fields({name: found[name] for name in names})
    say()
    told = [
        row for row in found["chances"] if row["flakes"] or row["bugs"] or row["in_force"] != row["shipped"]
    ]
    titles = ("class", "bucket", "shipped", "flakes", "bugs", "learnt", "in_force")
    show_table(
        titles, ([row[t] for t in titles] for row in told), empty="No decision has taught anything yet."
    )
    if found["calibration"]:
        say()
        say("How often pieces of evidence were flakes in the end, beside what was said of them:")
        rows = (
            (f"{row['predicted']:.2f}", f"{row['observed']:.2f}", f"{row['pieces']:.1f}")
            for row in found["calibration"]
        )
        show_table(("said", "were", "pieces"), rows, empty="")
