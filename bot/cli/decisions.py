"""Commands that decide about quarantine, by the very jobs behind Slack's buttons."""

from typing import TYPE_CHECKING, Any

import typer

from bot.cli.opened import opened, person
from bot.cli.output import Json, emit, say, show_table
from bot.cli.reading import LIMIT, OFFSET, TEST, all_items
from bot.cli.tenants import REPO, period

if TYPE_CHECKING:
    from core.quarantine import Quarantine
    from jobs.desk import Desk

PROPOSAL = typer.Argument(..., metavar="PROPOSAL", help="Its id, such as q-17.")
BY = typer.Option(
    ..., "--by", metavar="USER", help="Who decides: a Slack user id with a role in the project."
)
REASON = typer.Option("", help="Why, for those who read it later.")


def add_commands(app: typer.Typer) -> None:
    """Register them."""
    group = typer.Typer(help="Quarantine: tests whose failures do not block.", no_args_is_help=True)
    for name, command in (
        ("propose", propose),
        ("approve", approve),
        ("deny", deny),
        ("release", release),
        ("extend", extend),
        ("list", list_all),
    ):
        group.command(name)(command)
    app.add_typer(group, name="quarantine")


def days_of(text: str) -> int | None:
    """Whole days of a period; None when none is given."""
    return max(1, round(period(text).total_seconds() / 86_400)) if text else None


def propose(
    repo: str = REPO,
    test: str = TEST,
    by: str = BY,
    reason: str = REASON,
    lasting: str = typer.Option("", "--for", metavar="PERIOD", help="For how long: 14d (the policy says)."),
    as_json: bool = Json,
) -> None:
    """Propose to quarantine a test."""
    from bot.pages import find_one_test, project_named
    from jobs.propose import propose as job

    days = days_of(lasting)
    with opened() as desk:
        with desk.database.read() as tx:
            project = project_named(tx, repo)
            found = find_one_test(tx, project, test)
        made = job(desk, project_id=project.id, test_id=found.id, by=person(by), reason=reason, ttl_days=days)
        _answer(desk, made, as_json=as_json)


def approve(proposal: str = PROPOSAL, by: str = BY, as_json: bool = Json) -> None:
    """Approve a proposal; with the last approval needed the test is in quarantine."""
    from jobs.decide import approve as job

    with opened() as desk:
        _answer(desk, job(desk, _number(proposal), by=person(by)), as_json=as_json)


def deny(
    proposal: str = PROPOSAL,
    by: str = BY,
    reason: str = typer.Option(..., help="Why not."),
    cooldown: str = typer.Option("", metavar="PERIOD", help="Not proposed again for: 14d (the policy says)."),
    real_bug: bool = typer.Option(False, "--real-bug", help="The test is right to fail."),
    as_json: bool = Json,
) -> None:
    """Deny a proposal."""
    from jobs.decide import deny as job

    with opened() as desk:
        denied = job(
            desk,
            _number(proposal),
            by=person(by),
            reason=reason,
            cooldown_days=days_of(cooldown),
            real_bug=real_bug,
        )
        _answer(desk, denied, as_json=as_json)


def release(proposal: str = PROPOSAL, by: str = BY, reason: str = REASON, as_json: bool = Json) -> None:
    """End a quarantine: the test blocks merges again, at once."""
    from jobs.decide import release as job

    with opened() as desk:
        _answer(desk, job(desk, _number(proposal), by=person(by), reason=reason), as_json=as_json)


def extend(
    proposal: str = PROPOSAL,
    by: str = BY,
    reason: str = typer.Option(..., help="Why it still needs time."),
    lasting: str = typer.Option("14d", "--for", metavar="PERIOD", help="For how long from now."),
    as_json: bool = Json,
) -> None:
    """Let a quarantine go on."""
    from jobs.decide import extend as job

    days = days_of(lasting) or 1
    with opened() as desk:
        extended = job(desk, _number(proposal), by=person(by), reason=reason, days=days)
        _answer(desk, extended, as_json=as_json)


def list_all(
    repo: str = REPO,
    state: list[str] = typer.Option(
        [], help="Only in this state: proposed, active, expiring ...; may be repeated."
    ),
    limit: int = LIMIT,
    offset: int = OFFSET,
    as_json: bool = Json,
) -> None:
    """List proposals and quarantines, newest first."""
    from bot.pages import proposals_page
    from core.quarantine import State

    if unknown := [one for one in state if one not in set(State)]:
        raise typer.BadParameter(f"{unknown[0]!r} is not a state; it is one of {', '.join(State)}.")
    states = [State(one) for one in state]
    found = all_items(
        repo,
        lambda tx, project, page: proposals_page(tx, project, page, states=states),
        limit=limit,
        offset=offset,
    )
    if as_json:
        emit(found)
        return
    titles = ("proposal", "state", "until", "by", "test")
    show_table(titles, map(_row, found["items"]), empty="Nothing has been proposed yet.")


def _row(item: dict[str, Any]) -> tuple[object, ...]:
    name = f"{item.get('class', '')}::{item.get('name', '')}"
    return item["proposal_id"], item["state"], item["until"], item["decided_by"] or item["proposed_by"], name


def _number(proposal: str) -> int:
    from core.quarantine import parse_handle

    return parse_handle(proposal)[0]


def _answer(desk: "Desk", quarantine: "Quarantine", *, as_json: bool) -> None:
    from bot.views import quarantine_view
    from storage.test_case import get_tests

    with desk.database.read() as tx:
        test = get_tests(tx, quarantine.project_id, [quarantine.test_id]).get(quarantine.test_id)
    if as_json:
        emit(quarantine_view(quarantine, test))
        return
    approvals = f", {len(quarantine.votes)} of {quarantine.needed} approvals"
    say(f"{quarantine.name} is {quarantine.state.value}{approvals if quarantine.votes else ''}.")
