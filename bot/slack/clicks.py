"""What the buttons do that open dialogs, turn pages or show things."""

from bot.settings import Settings
from bot.slack import answers, reads, wishes
from bot.slack.blocks import deny, dialog, evidence, link, notice, release, top, waiting, web
from bot.slack.blocks.pieces import Message, View
from bot.slack.decisions import outcome, settle, snooze
from bot.slack.homes import memberships
from bot.slack.kit import Kit, spoken
from bot.slack.pages import ListPage, QuarantineLine
from bot.slack.refresh import publish_home, refresh_homes
from bot.slack.tenancy import project_of, projects_of, quarantine_of
from bot.slack.values import read_project, read_test
from bot.slack.visit import Visitor
from bot.slack.wishes import Chosen
from bot.web.links import signin_link
from core.command import Verb
from core.errors import FlakeGuardError, ForbiddenError
from core.quarantine import Quarantine, State, parse_handle
from core.tenancy import Person
from jobs import decide, sample
from jobs.desk import Desk
from storage.database import Tx
from storage.quarantine import list_quarantines

OLD = "This button belongs to another version of FlakeGuard. Use the command instead."
SNOOZE_DAYS = 7
MAX_WAITING = 30


async def evidence_dialog(kit: Kit, visitor: Visitor, value: str) -> None:
    """What each failure proves, as it was when proposed."""
    parse_handle(value)
    await kit.fill(visitor, "Evidence", lambda: kit.read(_evidence, kit, visitor, value))


async def review_dialog(kit: Kit, visitor: Visitor, value: str) -> None:
    """The same with the decision's buttons for those who may decide."""
    parse_handle(value)

    async def gather() -> View:
        roles = await kit.act(memberships, visitor)
        deciding = {item.repo for item in roles if item.role.may_decide}
        return await kit.read(_evidence, kit, visitor, value, deciding)

    await kit.fill(visitor, "Evidence", gather)


def _evidence(tx: Tx, kit: Kit, visitor: Visitor, value: str, deciding: set[str] | None = None) -> View:
    quarantine, project = quarantine_of(tx, visitor, value)
    page = answers.linked(kit, reads.evidence_page(tx, project, quarantine))
    return evidence.evidence(page, may_decide=project.repo in (deciding or set()))


async def evidence_now_dialog(kit: Kit, visitor: Visitor, value: str) -> None:
    """The evidence about a test as of now."""
    wanted = read_test(value)

    def look(tx: Tx) -> View:
        project = project_of(tx, visitor, wanted.project_id)
        page = reads.page_of_test(tx, project, wanted.test_id, kit.desk.now(), weeks=False)
        return evidence.evidence(answers.linked(kit, page), frozen=False)

    await kit.fill(visitor, "Evidence", lambda: kit.read(look))


async def approve_in_dialog(kit: Kit, visitor: Visitor, value: str) -> None:
    """Approve from the Evidence dialog; the dialog then says how it stands."""

    def step(desk: Desk, item: Quarantine, by: Person) -> Quarantine:
        return decide.approve(desk, item.id, by=by, project_id=item.project_id)

    try:
        done = await settle(kit, visitor, value, step)
    except FlakeGuardError as error:
        view = dialog.outcome("Not approved", "warning", f"Nothing was changed. {error.message}")
    else:
        late = isinstance(done, Message)
        view = dialog.outcome("Too late", "warning", spoken(done)) if late else outcome(done)  # type: ignore[arg-type]
    await kit.views.update(visitor, visitor.visit.view_id, view)
    await refresh_homes(kit, visitor)


async def deny_dialog(kit: Kit, visitor: Visitor, value: str, *, reason: str = "") -> None:
    """Opened without the database, so that it is there at once."""
    parse_handle(value)
    await kit.views.open(visitor, deny.deny(value, reason=reason))


async def release_dialog(kit: Kit, visitor: Visitor, value: str) -> None:
    """Ask for the reason."""
    parse_handle(value)
    await kit.views.open(visitor, release.release(value))


async def renew_dialog(kit: Kit, visitor: Visitor, value: str) -> None:
    """Ask for the reason and for how long."""
    parse_handle(value)
    await kit.views.open(visitor, release.renew(value))


async def more(kit: Kit, visitor: Visitor, value: str) -> Message | None:
    """The card's overflow menu."""
    verb, _, handle = value.partition(":")
    match verb:
        case "bug":
            await deny_dialog(kit, visitor, handle, reason="bug")
            return None
        case "snooze7":
            return await snooze(kit, visitor, handle, SNOOZE_DAYS)
        case _:
            return await outdated(kit, visitor, value)


async def waiting_dialog(kit: Kit, visitor: Visitor, _value: str) -> None:
    """Everything that waits for a decision in this workspace, surest first."""

    def look(tx: Tx) -> View:
        found: list[QuarantineLine] = []
        for project in projects_of(tx, visitor):
            items, _ = list_quarantines(tx, project.id, states=[State.PROPOSED], limit=MAX_WAITING)
            found += reads.lines(tx, project, items)
        items_ = tuple(sorted(found, key=lambda item: -item.score)[:MAX_WAITING])
        return waiting.waiting(ListPage(0, "this workspace", "pending", items_, len(items_), 1, MAX_WAITING))

    await kit.fill(visitor, "Waiting decisions", lambda: kit.read(look))


async def settings_dialog(kit: Kit, visitor: Visitor, _value: str) -> None:
    """The settings of the first repository the person is admin of."""
    await wishes.settings_dialog(kit, visitor, None)


async def propose_dialog(kit: Kit, visitor: Visitor, _value: str) -> None:
    """Propose any test."""
    await wishes.propose_dialog(kit, visitor, None)


async def propose_shown_dialog(kit: Kit, visitor: Visitor, value: str) -> None:
    """Propose the test that is shown."""
    wanted = read_test(value)
    await wishes.propose_dialog(kit, visitor, Chosen(wanted.project_id, wanted.test_id))


async def link_dialog(kit: Kit, visitor: Visitor, _value: str) -> None:
    """Ask for the GitHub login."""
    await kit.views.open(visitor, link.link())


async def show_test(kit: Kit, visitor: Visitor, value: str) -> Message:
    """One test from a menu."""
    wanted = read_test(value)
    return await answers.show_of(kit, visitor, wanted.project_id, wanted.test_id)


async def share_test(kit: Kit, visitor: Visitor, value: str) -> None:
    """What was shown to one, to the channel."""
    wanted = read_test(value)
    shown = await answers.show_of(
        kit, visitor, wanted.project_id, wanted.test_id, shared_by=visitor.visit.user
    )
    await kit.replies.say(visitor, shown, share=True)


async def share_top(kit: Kit, visitor: Visitor, value: str) -> None:
    """The list that was shown to one, to the channel."""
    wanted = read_project(value)
    days, limit = numbers(wanted.rest, answers.DAYS, answers.LIMIT)
    shown = await answers.top_of(
        kit, visitor, wanted.project_id, days=days, limit=limit, shared_by=visitor.visit.user
    )
    await kit.replies.say(visitor, shown, share=True)


async def full_list(kit: Kit, visitor: Visitor, value: str) -> Message:
    """Every flaky test, as far as one table holds them."""
    wanted = read_project(value)
    (days,) = numbers(wanted.rest, answers.DAYS)
    return await answers.top_of(kit, visitor, wanted.project_id, days=days, limit=top.MAX_SHOWN)


async def web_dialog(kit: Kit, visitor: Visitor, _value: str) -> None:
    """The way into the web pages, for this person alone."""
    if visitor.foreign:
        raise ForbiddenError("The web pages are for people of this workspace.")
    team, user = visitor.workspace.team, visitor.visit.user
    await kit.fill(visitor, "Web dashboard", lambda: kit.act(_door, kit.settings, team=team, user=user))


def _door(desk: Desk, settings: Settings, *, team: str, user: str) -> View:
    return web.web_door(signin_link(settings, desk, team=team, user=user))


async def load_sample(kit: Kit, visitor: Visitor, _value: str) -> None:
    """A repository to play with; the Home shows it when it is there."""
    await kit.act(sample.load_sample, team=visitor.workspace.team, by=await kit.person(visitor))
    await publish_home(kit, visitor)


async def remove_sample(kit: Kit, visitor: Visitor, _value: str) -> None:
    """Back to what is really there."""
    await kit.act(sample.remove_sample, team=visitor.workspace.team, by=await kit.person(visitor))
    await publish_home(kit, visitor)


async def list_pending(kit: Kit, visitor: Visitor, value: str) -> Message:
    """What waits in a repository."""
    return await answers.list_of(kit, visitor, read_project(value).project_id, kind="pending", page=1)


async def top_of_project(kit: Kit, visitor: Visitor, value: str) -> Message:
    """The worst tests of a repository."""
    return await answers.top_of(kit, visitor, read_project(value).project_id)


async def turn_page(kit: Kit, visitor: Visitor, value: str) -> None:
    """The next or previous page takes the place of the one that was clicked."""
    wanted = read_project(value)
    kind, number = _page(wanted.rest)
    shown = await answers.list_of(kit, visitor, wanted.project_id, kind=kind, page=number)
    await kit.replies.say(visitor, shown, replace=True)


async def chosen(kit: Kit, visitor: Visitor, name: str, value: str) -> Message | None:
    """A menu's answer: the verb goes on with the test or repository that was chosen."""
    verb = name.rpartition(".")[2]
    if name.startswith("fg.repo."):
        return await _with_project(kit, visitor, verb, value)
    return await _with_test(kit, visitor, verb, value)


async def _with_test(kit: Kit, visitor: Visitor, verb: str, value: str) -> Message | None:
    wanted = read_test(value)
    test = Chosen(wanted.project_id, wanted.test_id)
    match verb:
        case Verb.SHOW:
            return await answers.show_of(kit, visitor, test.project_id, test.test_id)
        case Verb.HISTORY:
            return await answers.history_of(kit, visitor, test.project_id, test.test_id)
        case Verb.RELEASE:
            await wishes.release_dialog(kit, visitor, test)
        case Verb.SNOOZE:
            days = int(wanted.rest) if wanted.rest.isdecimal() else SNOOZE_DAYS
            return await wishes.snooze_of(kit, visitor, test, days=days)
        case Verb.QUARANTINE:
            await wishes.propose_dialog(kit, visitor, test)
        case _:
            return await outdated(kit, visitor, value)
    return None


async def _with_project(kit: Kit, visitor: Visitor, verb: str, value: str) -> Message | None:
    wanted = read_project(value)
    match verb:
        case Verb.STATUS:
            return await kit.read(
                lambda tx: answers.status_of(kit, tx, project_of(tx, visitor, wanted.project_id))
            )
        case Verb.TOP:
            days, limit = numbers(wanted.rest, answers.DAYS, answers.LIMIT)
            return await answers.top_of(kit, visitor, wanted.project_id, days=days, limit=limit)
        case Verb.LIST:
            kind, number = _page(wanted.rest)
            return await answers.list_of(kit, visitor, wanted.project_id, kind=kind, page=number)
        case Verb.SETTINGS:
            await wishes.settings_dialog(kit, visitor, wanted.project_id)
            return None
        case _:
            return await outdated(kit, visitor, value)


def _page(rest: str) -> tuple[str, int]:
    """`pending:2` -> ("pending", 2): which list, and which page of it."""
    kind, _, page = rest.partition(":")
    return kind, int(page) if page.isdecimal() else 1


def numbers(rest: str, *defaults: int) -> tuple[int, ...]:
    """`30:5` -> (30, 5), with the default for whatever is no number; bounded."""
    parts = [*rest.split(":"), *[""] * len(defaults)]
    return tuple(
        min(max(int(part), 1), 365) if part.isascii() and part.isdecimal() and len(part) < 4 else default  # noqa: PLR2004
        for part, default in zip(parts, defaults, strict=False)
    )


async def outdated(_kit: Kit, _visitor: Visitor, _value: str) -> Message:
    """A button nobody knows any more."""
    return notice.refused(OLD)
