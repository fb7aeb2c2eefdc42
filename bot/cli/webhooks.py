"""Commands for outgoing webhooks: create, list, show, change, rotate, test, retry, disable, enable, delete."""

from typing import TYPE_CHECKING, Any, Literal

import typer

from bot.cli.opened import opened, operator, settings, wall_clock
from bot.cli.output import Json, emit, note, say, show_fields, show_table
from bot.cli.telling import day
from bot.cli.tenants import period, project_of
from core.errors import NotFoundError, ProcessingError
from core.webhook import CHOICES, MEANINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jobs.connect import Listener
    from jobs.desk import Desk

NUMBER = typer.Argument(..., metavar="WEBHOOK_ID", min=1, help="As `webhooks list` shows it.")
EVENT = typer.Option(
    [], "--event", metavar="TYPE", help="Only this event, or a group as 'quarantine.*'; may be repeated."
)
DESCRIPTION = typer.Option("", help="What it is for.")
HELP = """Outgoing webhooks: tell a server of yours what happens, signed after Standard Webhooks.

The running server delivers them, and tries again for three days. docs/webhooks.md tells how to receive them."""


def add_commands(app: typer.Typer) -> None:
    """Register them."""
    group = typer.Typer(help=HELP, no_args_is_help=True)
    for name, command in (
        ("create", create),
        ("list", list_all),
        ("show", show),
        ("change", change),
        ("rotate", rotate),
        ("test", try_out),
        ("messages", messages),
        ("retry", retry),
        ("disable", disable),
        ("enable", enable),
        ("delete", delete),
        ("events", events),
    ):
        group.command(name)(command)
    app.add_typer(group, name="webhooks")


def create(
    url: str = typer.Argument(..., help="https://..., where the events are posted to."),
    project: str = typer.Option("", metavar="OWNER/NAME", help="Hear of this repository."),
    org: str = typer.Option("", help="Hear of every repository of this organization."),
    event: list[str] = EVENT,
    description: str = DESCRIPTION,
    as_json: bool = Json,
) -> None:
    """Make a webhook. Its secret is shown once; it is kept encrypted."""
    from bot.views import endpoint_view
    from bot.webhooks import making

    if bool(project) == bool(org):
        raise typer.BadParameter("Give --project OWNER/NAME or --org NAME.")
    with opened() as desk:
        listener = _listener(desk, project, org)
        made, secret = making.create(
            desk, settings(), listener, url, by=operator(), events=event, description=description
        )
    if as_json:
        emit({"secret": secret, **endpoint_view(made)})
        return
    say(secret)
    note(f"Webhook {made.id}. Its secret is shown only now; the receiver checks the signatures with it.")
    note(f"Next: flakeguard webhooks test {made.id}")


def list_all(
    project: str = typer.Option("", metavar="OWNER/NAME", help="Only this repository's own."),
    as_json: bool = Json,
) -> None:
    """List the webhooks."""
    from bot.pages import MAX_LIMIT, Page, endpoints_page

    with opened() as desk:
        project_id = project_of(desk, project).id if project else None
        with desk.database.read() as tx:
            found = endpoints_page(tx, Page(MAX_LIMIT), project_id=project_id)
            place = _places(tx)
    if as_json:
        emit(found)
        return
    rows = (
        (one["webhook_id"], place(one), one["url"], _events(one), _state(one), one["last_error"])
        for one in found["items"]
    )
    titles = ("id", "hears of", "url", "events", "state", "last error")
    show_table(titles, rows, empty="There is no webhook yet: flakeguard webhooks create ...")


def show(number: int = NUMBER, as_json: bool = Json) -> None:
    """Show one webhook: how it is and what waits for it."""
    from bot.pages import endpoint_page

    with opened() as desk, desk.database.read() as tx:
        found, place = endpoint_page(tx, number), _places(tx)
    if as_json:
        emit(found)
        return
    show_fields(
        {
            "id": found["webhook_id"],
            "hears of": place(found),
            "url": found["url"],
            "description": found["description"],
            "events": _events(found),
            "state": _state(found),
            "waiting": found["pending"],
            "last delivered": found["last_delivered_at"] and day(found["last_delivered_at"]),
            "failing since": found["failing_since"] and day(found["failing_since"]),
            "last error": found["last_error"],
            "old secret until": found["old_secret_until"] and day(found["old_secret_until"]),
        }
    )


def change(
    number: int = NUMBER,
    url: str | None = typer.Option(None, help="Another address."),
    event: list[str] = EVENT,
    all_events: bool = typer.Option(False, "--all-events", help="Hear everything again."),
    description: str | None = typer.Option(None, help="What it is for."),
    as_json: bool = Json,
) -> None:
    """Change where a webhook goes, or what it hears."""
    from bot.webhooks.reach import reach
    from jobs.connect import change_endpoint

    if event and all_events:
        raise typer.BadParameter("Give --event or --all-events.")
    wanted = event if event or all_events else None
    with opened() as desk:
        changed = change_endpoint(
            desk,
            number,
            reach=reach(settings()),
            by=operator(),
            url=url,
            events=wanted,
            description=description,
        )
    _told(changed, "is changed", as_json=as_json)


def rotate(
    number: int = NUMBER,
    overlap: str = typer.Option(
        "24h", metavar="PERIOD", help="How long the old secret signs too: 24h, 7d; 0h ends it at once."
    ),
    as_json: bool = Json,
) -> None:
    """Give a webhook a new secret, shown once."""
    from bot.views import endpoint_view
    from bot.webhooks import making

    lasting = period(overlap)
    with opened() as desk:
        made, secret = making.rotate(desk, settings(), number, by=operator(), overlap=lasting)
    if as_json:
        emit({"secret": secret, **endpoint_view(made)})
        return
    say(secret)
    ends = f"until {made.old_until:%Y-%m-%d %H:%M} UTC" if made.old_until else "no more"
    note(f"Webhook {made.id}. The secret is shown only now; the old one signs {ends}.")


def try_out(number: int = NUMBER, as_json: bool = Json) -> None:
    """Send a test event and say how that went."""
    from bot.views import message_view
    from bot.webhooks.trial import try_endpoint

    with opened() as desk:
        message, trouble = try_endpoint(desk, settings(), number, by=operator(), now=wall_clock)
    if as_json:
        emit(message_view(message))
        raise typer.Exit(1 if trouble else 0)
    if trouble:
        raise ProcessingError(trouble)
    say(f"{message.key}: delivered, answered {message.status}.")


def messages(
    number: int = NUMBER,
    state: Literal["pending", "delivered", "failed"] | None = typer.Option(None, help="Only these."),
    limit: int = typer.Option(20, min=1, max=500, help="How many."),
    as_json: bool = Json,
) -> None:
    """List what was sent to a webhook, newest first, with the last answer."""
    from bot.pages import Page, messages_page

    with opened() as desk, desk.database.read() as tx:
        found = messages_page(tx, number, Page(limit), state=state)
    if as_json:
        emit(found)
        return
    rows = (
        (
            day(one["timestamp"]),
            one["message_id"],
            one["type"],
            one["state"],
            one["attempts"],
            day(one["next_attempt_at"]),
            one["error"],
        )
        for one in found["items"]
    )
    titles = ("when", "id", "event", "state", "attempts", "next", "last error")
    show_table(titles, rows, empty="Nothing was sent yet.")


def retry(number: int = NUMBER, as_json: bool = Json) -> None:
    """Send again, at once, whatever has not arrived; the running server does it."""
    from jobs.connect import send_again

    with opened() as desk:
        count = send_again(desk, number, by=operator())
    emit({"messages": count}) if as_json else say(f"Due now: {count}.")


def disable(number: int = NUMBER, as_json: bool = Json) -> None:
    """Send nothing to a webhook for now."""
    from jobs.connect import switch_off

    with opened() as desk:
        _told(switch_off(desk, number, by=operator()), "is disabled", as_json=as_json)


def enable(number: int = NUMBER, as_json: bool = Json) -> None:
    """Send to a webhook again, whyever it was disabled."""
    from jobs.connect import switch_on

    with opened() as desk:
        _told(switch_on(desk, number, by=operator()), "is enabled", as_json=as_json)


def delete(number: int = NUMBER, as_json: bool = Json) -> None:
    """Forget a webhook with its secret and what waits for it."""
    from jobs.connect import remove_endpoint

    with opened() as desk:
        remove_endpoint(desk, number, by=operator())
    emit({"webhook_id": number, "deleted": True}) if as_json else say(f"Webhook {number} is deleted.")


def events(as_json: bool = Json) -> None:
    """List the events there are."""
    if as_json:
        items = [{"type": one.value, "when": MEANINGS[one]} for one in CHOICES]
        emit({"items": items, "total": len(items)})
        return
    show_table(("event", "when"), ((one.value, MEANINGS[one]) for one in CHOICES), empty="")


def _listener(desk: "Desk", project: str, org: str) -> "Listener":
    from jobs.connect import Listener
    from storage.organization import find_organization

    if project:
        found = project_of(desk, project)
        return Listener(found.organization_id, found.id)
    with desk.database.read() as tx:
        tenant = find_organization(tx, org)
    if tenant is None:
        raise NotFoundError(f"There is no organization {org}.")
    return Listener(tenant.id)


def _told(endpoint: Any, what: str, *, as_json: bool) -> None:
    from bot.views import endpoint_view

    emit(endpoint_view(endpoint)) if as_json else say(f"Webhook {endpoint.id} {what}.")


def _places(tx: Any) -> "Callable[[Mapping[str, Any]], str]":
    """Says of a webhook what it hears of: a repository, or all of an organization."""
    from storage.organization import list_organizations
    from storage.project import list_projects

    repos = {one.id: one.repo for one in list_projects(tx)}
    tenants = {one.id: one.name for one in list_organizations(tx)}
    return lambda found: repos.get(found["project_id"]) or f"all of {tenants[found['organization_id']]}"


def _events(found: dict[str, Any]) -> str:
    return ", ".join(found["events"]) or "all"


def _state(found: dict[str, Any]) -> str:
    why = {"person": "", "gone": ": it answered 410", "failing": ": it failed for days"}
    return f"disabled{why[found['disabled_by']]}" if found["disabled_by"] else "enabled"
