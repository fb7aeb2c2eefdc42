"""Commands for who hears of a project: channel add, remove, list."""

import re
from typing import TYPE_CHECKING

import typer

from bot.cli.opened import opened, operator, settings
from bot.cli.output import Json, emit, say, show_table
from bot.cli.tenants import REPO, project_of
from core.errors import NotFoundError, ValidationError

if TYPE_CHECKING:
    from core.tenancy import Project
    from jobs.desk import Desk

PLACE = typer.Argument(..., metavar="CHANNEL", help="A Slack channel id, or TEAM/CHANNEL.")
_PLACE = re.compile(r"(?:[A-Z0-9]{1,20}/)?[A-Z0-9]{1,20}")


def add_commands(app: typer.Typer) -> None:
    """Register them."""
    channel = typer.Typer(help="Slack channels that hear of a project.", no_args_is_help=True)
    channel.command("add")(add)
    channel.command("remove")(remove)
    channel.command("list")(list_channels)
    app.add_typer(channel, name="channel")


def place_of(text: str) -> tuple[str, str]:
    """Team and channel; the bot's only workspace goes by no name, so that naming it makes no second route."""
    if not _PLACE.fullmatch(text):
        raise ValidationError(
            "A channel is a Slack channel id such as C024BE91L, or TEAM/CHANNEL.", field="channel"
        )
    team, _, channel = text.rpartition("/")
    return ("" if settings().slack_bot_token else team), channel


def let_hear(desk: "Desk", project: "Project", place: str) -> None:
    """Let a channel hear of the project."""
    from jobs.subscribe import subscribe
    from storage.slack import Route

    team, channel = place_of(place)
    subscribe(desk, Route(project_id=project.id, team=team, channel=channel), by=operator())


def add(repo: str = REPO, channel: str = PLACE, as_json: bool = Json) -> None:
    """Send a channel the project's proposals, digests and storms. Invite the bot there first."""
    with opened() as desk:
        project = project_of(desk, repo)
        let_hear(desk, project, channel)
    if as_json:
        emit({"repo": project.repo, "channel": channel, "subscribed": True})
        return
    say(f"{channel} hears of {project.repo}.")


def remove(repo: str = REPO, channel: str = PLACE, as_json: bool = Json) -> None:
    """Send the channel no more; what was said stays."""
    from jobs.subscribe import unsubscribe

    with opened() as desk:
        project = project_of(desk, repo)
        team, place = place_of(channel)
        if not unsubscribe(desk, project.id, team=team, channel=place, by=operator()):
            raise NotFoundError(f"{channel} did not hear of {project.repo}.")
    if as_json:
        emit({"repo": project.repo, "channel": channel, "subscribed": False})
        return
    say(f"{channel} hears no more of {project.repo}.")


def list_channels(repo: str = REPO, as_json: bool = Json) -> None:
    """List the channels that hear of the project."""
    from storage.slack import subscriptions_of

    with opened() as desk, desk.database.read() as tx:
        project = project_of(desk, repo)
        routes = subscriptions_of(tx, project.id)
    items = [{"team": one.team, "channel": one.channel, "kinds": one.kinds} for one in routes]
    if as_json:
        emit({"items": items, "total": len(items)})
        return
    rows = ((one["channel"], one["team"], one["kinds"]) for one in items)
    show_table(("channel", "team", "hears"), rows, empty="No channel hears of it yet.")
