"""The verbs that read: status, top, show, list, history, whoami."""

from dataclasses import replace

from bot.slack import reads
from bot.slack.ask import which_project, which_test
from bot.slack.blocks import history, listing, show, status, top, whoami
from bot.slack.blocks.pieces import Message
from bot.slack.homes import who_page
from bot.slack.kit import Kit
from bot.slack.pages import TestPage
from bot.slack.tenancy import project_of
from bot.slack.visit import Visitor
from bot.version import version
from bot.web.links import page_of_test
from core.command import Command, Verb
from core.tenancy import Project
from storage.database import Tx

KINDS = {
    "pending": "pending",
    "waiting": "pending",
    "quarantined": "quarantined",
    "quarantine": "quarantined",
}
DAYS, LIMIT = 14, 5
MAX_DAYS, MAX_ROWS = 365, 20


async def status_answer(kit: Kit, visitor: Visitor, command: Command) -> Message:
    """`status [repo]`."""

    def look(tx: Tx) -> Message:
        project = which_project(tx, visitor, command.text, Verb.STATUS)
        return project if isinstance(project, Message) else status_of(kit, tx, project)

    return await kit.read(look)


def status_of(kit: Kit, tx: Tx, project: Project) -> Message:
    """One repository's health, with version and transport."""
    transport = "socket mode" if kit.settings.slack_app_token else "HTTP"
    return status.status(reads.health(tx, project, kit.desk.now()), version=version(), transport=transport)


async def top_answer(kit: Kit, visitor: Visitor, command: Command) -> Message:
    """`top [repo] [--days] [--limit] [--share]`."""
    days = command.number("days", DAYS, 1, MAX_DAYS)
    limit = command.number("limit", LIMIT, 1, MAX_ROWS)

    def look(tx: Tx) -> Message | Project:
        return which_project(tx, visitor, command.text, Verb.TOP, rest=f"{days}:{limit}")

    project = await kit.read(look)
    if isinstance(project, Message):
        return project
    shared_by = visitor.visit.user if "share" in command.options else ""
    return await top_of(kit, visitor, project.id, days=days, limit=limit, shared_by=shared_by)


async def top_of(
    kit: Kit, visitor: Visitor, project_id: int, *, days: int = DAYS, limit: int = LIMIT, shared_by: str = ""
) -> Message:
    """The worst tests of a project the workspace may see."""

    def look(tx: Tx) -> Message:
        project = project_of(tx, visitor, project_id)
        page = reads.top_page(tx, project, days=days, limit=limit, now=kit.desk.now())
        return top.top(reads.shared(page, shared_by))

    return await kit.read(look)


async def show_answer(kit: Kit, visitor: Visitor, command: Command) -> Message:
    """`show TEST [repo]`."""

    def look(tx: Tx) -> Message:
        found = which_test(tx, visitor, command.words, Verb.SHOW)
        if isinstance(found, Message):
            return found
        page = reads.page_of_test(tx, found.project, found.test.id, kit.desk.now())
        return show.show(linked(kit, page))

    return await kit.read(look)


async def show_of(
    kit: Kit, visitor: Visitor, project_id: int, test_id: int, *, shared_by: str = ""
) -> Message:
    """One test of a project the workspace may see."""

    def look(tx: Tx) -> Message:
        project = project_of(tx, visitor, project_id)
        page = reads.page_of_test(tx, project, test_id, kit.desk.now())
        return show.show(reads.shared(linked(kit, page), shared_by))

    return await kit.read(look)


def linked(kit: Kit, page: TestPage) -> TestPage:
    """With the address of the test's page, where there are web pages."""
    return replace(page, web_url=page_of_test(kit.settings, page.repo, page.test.id))


async def list_answer(kit: Kit, visitor: Visitor, command: Command) -> Message:
    """`list [pending|quarantined] [repo]`."""
    words = list(command.words)
    kind = next((KINDS[word.lower()] for word in words if word.lower() in KINDS), "pending")
    rest = " ".join(word for word in words if word.lower() not in KINDS)
    page = command.number("page", 1, 1, 9999)

    def look(tx: Tx) -> Message:
        project = which_project(tx, visitor, rest, Verb.LIST, rest=f"{kind}:{page}")
        if isinstance(project, Message):
            return project
        return listing.listing_page(reads.list_page(tx, project, kind=kind, page=page))

    return await kit.read(look)


async def list_of(kit: Kit, visitor: Visitor, project_id: int, *, kind: str, page: int) -> Message:
    """One page of a project the workspace may see."""

    def look(tx: Tx) -> Message:
        project = project_of(tx, visitor, project_id)
        return listing.listing_page(reads.list_page(tx, project, kind=KINDS.get(kind, "pending"), page=page))

    return await kit.read(look)


async def history_answer(kit: Kit, visitor: Visitor, command: Command) -> Message:
    """`history TEST`."""

    def look(tx: Tx) -> Message:
        found = which_test(tx, visitor, command.words, Verb.HISTORY)
        if isinstance(found, Message):
            return found
        return history.history(reads.history_page(tx, found.project, found.test.id))

    return await kit.read(look)


async def history_of(kit: Kit, visitor: Visitor, project_id: int, test_id: int) -> Message:
    """The decisions about one test of a project the workspace may see."""

    def look(tx: Tx) -> Message:
        project = project_of(tx, visitor, project_id)
        return history.history(reads.history_page(tx, project, test_id))

    return await kit.read(look)


async def whoami_answer(kit: Kit, visitor: Visitor, _command: Command) -> Message:
    """`whoami`."""
    guest = await kit.people.guest(visitor)
    page = await kit.act(who_page, visitor, guest=guest)
    return whoami.whoami(replace(page, web=kit.settings.web and not visitor.foreign))
