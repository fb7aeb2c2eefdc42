"""Commands that show what is known: flaky, tests, show, history, explain, detections."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.opened import opened
from bot.cli.output import Json, emit, note, show_table
from bot.cli.telling import named, tell_explanation, tell_test
from bot.cli.tenants import REPO

if TYPE_CHECKING:
    from bot.pages import Items, Page
    from core.tenancy import Project
    from storage.database import Tx

TEST = typer.Argument(..., metavar="TEST", help="A test's id or name.")
LIMIT = typer.Option(0, min=0, help="At most so many; 0 for all.")
OFFSET = typer.Option(0, min=0, help="Leave out so many.")
EVERYTHING = 10**9
CHUNK = 500

Reader = Callable[["Tx", "Project", "Page"], "Items"]


def add_commands(app: typer.Typer) -> None:
    """Register them."""
    for name, command in (
        ("flaky", flaky),
        ("tests", list_tests),
        ("show", show),
        ("history", history),
        ("explain", explain),
        ("detections", detections),
    ):
        app.command(name)(command)


def all_items(repo: str, reader: Reader, *, limit: int, offset: int) -> dict[str, Any]:
    """As many pages as wanted, read in one snapshot."""
    from bot.pages import Page, project_named

    items: list[dict[str, Any]] = []
    wanted = limit or EVERYTHING
    with opened() as desk, desk.database.read() as tx:
        project = project_named(tx, repo)
        while True:
            page = reader(tx, project, Page(min(CHUNK, wanted - len(items)), offset + len(items)))
            items += page["items"]
            if not page["items"] or len(items) >= min(wanted, page["total"] - offset):
                return {"items": items, "total": page["total"]}


def flaky(repo: str = REPO, limit: int = LIMIT, offset: int = OFFSET, as_json: bool = Json) -> None:
    """List the flaky tests, surest first."""
    from bot.pages import detected_page

    _show_tests(
        all_items(repo, detected_page, limit=limit, offset=offset),
        as_json=as_json,
        empty="No test is known to be flaky.",
    )


def list_tests(
    repo: str = REPO,
    state: str = typer.Option("", help="Only those in this state: flaky, broken, suspect, recovered ..."),
    search: str = typer.Option("", help="Only those whose name holds this."),
    limit: int = LIMIT,
    offset: int = OFFSET,
    as_json: bool = Json,
) -> None:
    """List the tests of a project."""
    from bot.pages import page_of_tests
    from core.verdict import TestState

    if state and state not in set(TestState):
        raise typer.BadParameter(f"{state!r} is not a state; it is one of {', '.join(TestState)}.")
    _show_tests(
        all_items(
            repo,
            lambda tx, project, page: page_of_tests(tx, project, page, state=state or None, text=search),
            limit=limit,
            offset=offset,
        ),
        as_json=as_json,
        empty="There is no such test.",
    )


def _show_tests(found: dict[str, Any], *, as_json: bool, empty: str) -> None:
    if as_json:
        emit(found)
        return
    titles = ("id", "state", "score", "rate", "test")
    show_table(
        titles,
        ((i["test_id"], i["state"], i["score"], _percent(i), _name(i)) for i in found["items"]),
        empty=empty,
    )
    if len(found["items"]) < found["total"]:
        note(f"{len(found['items'])} of {found['total']}")


def _percent(item: dict[str, Any]) -> str:
    return f"{item['rate']:.1%}"


def _name(item: dict[str, Any]) -> str:
    variant = f" ({item['variant']})" if item["variant"] else ""
    return f"{item['class'] or item['suite']}::{item['name']}{variant}"


def show(repo: str = REPO, test: str = TEST, as_json: bool = Json) -> None:
    """Show one test: state, score, owner, quarantine."""
    from bot.pages import find_one_test, one_test, project_named

    with opened() as desk, desk.database.read() as tx:
        project = project_named(tx, repo)
        found = one_test(tx, project, find_one_test(tx, project, test).id)
    if as_json:
        emit(found)
        return
    tell_test(found)


def history(
    repo: str = REPO,
    test: str = TEST,
    limit: int = typer.Option(20, min=0, help="At most so many; 0 for all."),
    offset: int = OFFSET,
    as_json: bool = Json,
) -> None:
    """List a test's executions, newest first."""
    from bot.pages import find_one_test, history_page

    found = all_items(
        repo,
        lambda tx, project, page: history_page(tx, project, find_one_test(tx, project, test).id, page),
        limit=limit,
        offset=offset,
    )
    if as_json:
        emit(found)
        return
    show_table(
        ("when", "outcome", "branch", "commit", "run", "message"),
        _executions(found["items"]),
        empty="No run yet.",
    )


def _executions(items: Iterable[dict[str, Any]]) -> Iterable[Sequence[object]]:
    for item in items:
        outcome = "flaky" if item["flaky"] else item["outcome"]
        message = (item["message"] or "").strip().splitlines()
        run = f"{item['run_id']}/{item['attempt']}"
        yield item["at"], outcome, item["branch"], item["commit"][:12], run, message[0] if message else ""


def explain(repo: str = REPO, test: str = TEST, as_json: bool = Json) -> None:
    """Say why a test is believed flaky or not, piece by piece."""
    from bot.cli.opened import wall_clock
    from bot.pages import find_one_test, project_named
    from bot.views import view_of_test
    from jobs.explain import explain_test

    with opened() as desk, desk.database.read() as tx:
        project = project_named(tx, repo)
        found = find_one_test(tx, project, test)
        told = explain_test(tx, project, found, wall_clock())
    if as_json:
        emit({"test_id": found.id, **told})
        return
    tell_explanation(named(view_of_test(found, None)), told)


def detections(repo: str = REPO, limit: int = LIMIT, offset: int = OFFSET, as_json: bool = Json) -> None:
    """List every change of verdict, newest first."""
    from bot.pages import changes_page

    found = all_items(repo, changes_page, limit=limit, offset=offset)
    if as_json:
        emit(found)
        return
    rows = ((item["at"], item["from"], item["to"], item["score"], _name(item)) for item in found["items"])
    show_table(("when", "from", "to", "score", "test"), rows, empty="No verdict has changed yet.")
