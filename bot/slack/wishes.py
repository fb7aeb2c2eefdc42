"""The verbs that change something or open a dialog: quarantine, release, snooze, subscribe, settings."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.slack import reads
from bot.slack.ask import Found, tests_meant, which_project, which_test
from bot.slack.blocks import notice, propose, release, settings
from bot.slack.blocks.pieces import Message, View
from bot.slack.kit import Kit
from bot.slack.tenancy import project_of, projects_of
from bot.slack.visit import Visitor
from core.command import Command, Verb, parse_days, split_repo
from core.errors import ForbiddenError, NotFoundError, ValidationError
from core.quarantine import Quarantine, SettledError
from core.tenancy import Project, Role
from jobs import decide
from jobs import propose as proposing
from jobs.digest_card import view_of
from jobs.subscribe import subscribe
from storage.approver import role_of
from storage.database import Tx
from storage.project import get_policy
from storage.quarantine import open_quarantine_of
from storage.slack import Route
from storage.test_case import get_test

PROPOSE = "Propose a quarantine"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A test that was chosen, by words or from a menu."""

    project_id: int
    test_id: int


async def choose(kit: Kit, visitor: Visitor, command: Command, *, rest: str = "") -> Chosen | Message:
    """The test the command's words mean, or the menu."""

    def look(tx: Tx) -> Found | Message:
        return which_test(tx, visitor, command.words, command.verb, rest=rest)

    found = await kit.read(look)
    return found if isinstance(found, Message) else Chosen(found.project.id, found.test.id)


async def quarantine_wish(kit: Kit, visitor: Visitor, command: Command) -> Message | None:
    """`quarantine TEST [--for] [--reason]`: with a reason it is proposed at once, else a dialog asks."""
    reason = command.options.get("reason", "").strip()
    if not reason:
        await kit.fill(visitor, PROPOSE, lambda: kit.read(_proposal_of, visitor, command))
        return None
    chosen = await choose(kit, visitor, command)
    if isinstance(chosen, Message):
        return chosen
    return await propose_now(kit, visitor, chosen, reason=reason, days=command.days("for"))


def _proposal_of(tx: Tx, visitor: Visitor, command: Command) -> View:
    """The dialog for the test the words mean; several matches become a choice in it."""
    found = tests_meant(tx, visitor, command.words)
    if len(found) == 1:
        return _proposal(tx, visitor, Chosen(found[0][0].id, found[0][1].id), days=command.days("for"))
    choices = tuple((project.id, test) for project, test in found)
    return propose.propose(None, choices=choices, days=min(command.days("for") or 14, 60))


def _proposal(tx: Tx, visitor: Visitor, chosen: Chosen, *, days: int | None = None) -> View:
    project = project_of(tx, visitor, chosen.project_id)
    test = view_of(get_test(tx, project.id, chosen.test_id))
    ttl = days or get_policy(tx, project.id).ttl_days
    return propose.propose(test, project_id=project.id, repo=project.repo, days=min(ttl, 60))


async def propose_now(
    kit: Kit, visitor: Visitor, chosen: Chosen, *, reason: str, days: int | None
) -> Message:
    """Propose a quarantine of a test the workspace may see."""
    await kit.read(lambda tx: project_of(tx, visitor, chosen.project_id))
    person = await kit.person(visitor)
    proposed = await kit.act(
        proposing.propose,
        project_id=chosen.project_id,
        test_id=chosen.test_id,
        by=person,
        reason=reason,
        ttl_days=days,
    )
    return notice.done(
        f"Proposed as {proposed.name}. An approver decides; nothing changes until then."
        if proposed.state.value == "proposed"
        else f"{proposed.name} is {proposed.state.value}."
    )


async def propose_dialog(kit: Kit, visitor: Visitor, chosen: Chosen | None) -> None:
    """Ask for the reason, and for the test when none was chosen."""

    def look(tx: Tx) -> View:
        if chosen is not None:
            return _proposal(tx, visitor, chosen)
        repos = tuple((one.id, one.repo) for one in projects_of(tx, visitor))
        return propose.propose(None, repos=repos)

    await kit.fill(visitor, PROPOSE, lambda: kit.read(look))


async def release_wish(kit: Kit, visitor: Visitor, command: Command) -> Message | None:
    """`release TEST [--reason]`: with a reason the quarantine ends at once, else a dialog asks."""
    reason = command.options.get("reason", "").strip()
    if not reason:
        await kit.fill(visitor, "Release", lambda: kit.read(_release_of, visitor, command))
        return None
    chosen = await choose(kit, visitor, command)
    if isinstance(chosen, Message):
        return chosen
    quarantine = await kit.read(_in_force, visitor, chosen)
    person = await kit.person(visitor)
    project_id = quarantine.project_id
    done = await kit.act(decide.release, quarantine.id, by=person, reason=reason, project_id=project_id)
    return notice.done(f"Released ({done.name}): it blocks merges again.")


def _release_of(tx: Tx, visitor: Visitor, command: Command) -> View:
    """The dialog for the quarantined test the words mean; tests that are not in quarantine are not meant."""
    found = tests_meant(tx, visitor, command.words)
    held = [open_quarantine_of(tx, project.id, test.id) for project, test in found]
    active = [one for one in held if one is not None and one.state.in_force]
    if len(active) == 1:
        return release.release(active[0].handle)
    if not active:
        raise SettledError("No test of this name is in quarantine.")
    raise ValidationError(f"{len(active)} quarantined tests match; give more of the name.")


async def release_dialog(kit: Kit, visitor: Visitor, chosen: Chosen) -> None:
    """Ask why."""

    def look(tx: Tx) -> View:
        return release.release(_in_force(tx, visitor, chosen).handle)

    await kit.fill(visitor, "Release", lambda: kit.read(look))


def _in_force(tx: Tx, visitor: Visitor, chosen: Chosen) -> Quarantine:
    project = project_of(tx, visitor, chosen.project_id)
    quarantine = open_quarantine_of(tx, project.id, chosen.test_id)
    if quarantine is None or not quarantine.state.in_force:
        raise SettledError("This test is not in quarantine.")
    return quarantine


async def snooze_wish(kit: Kit, visitor: Visitor, command: Command) -> Message:
    """`snooze TEST 7d`."""
    days, words = command.days("for"), list(command.words)
    if days is None:
        days = parse_days(words[-1])
        words = words[:-1]
    if days is None:
        raise ValidationError("Say for how long: 7d, 2w.")
    chosen = await choose(kit, visitor, Command(Verb.SNOOZE, tuple(words)), rest=str(days))
    return chosen if isinstance(chosen, Message) else await snooze_of(kit, visitor, chosen, days=days)


async def snooze_of(kit: Kit, visitor: Visitor, chosen: Chosen, *, days: int) -> Message:
    """No proposal for the test for so many days."""
    await kit.read(lambda tx: project_of(tx, visitor, chosen.project_id))
    person = await kit.person(visitor)
    await kit.act(decide.snooze, chosen.project_id, chosen.test_id, by=person, days=days)
    return notice.done(f"Snoozed: no proposal for this test for {days} day{'s' if days > 1 else ''}.")


async def subscribe_wish(kit: Kit, visitor: Visitor, command: Command) -> Message:
    """`subscribe REPO [--daily] [--tz] [--only]`."""
    if not visitor.visit.channel:
        raise ValidationError("Type this in the channel that shall hear about the repository.")

    def look(tx: Tx) -> Project | Message:
        _left, repo = split_repo(command.words, [one.repo for one in projects_of(tx, visitor)])
        return which_project(tx, visitor, repo or command.text, Verb.SUBSCRIBE)

    project = await kit.read(look)
    if isinstance(project, Message):
        return project
    zone = command.options.get("tz", "")
    route = Route(
        project_id=project.id,
        team=visitor.workspace.route_team,
        channel=visitor.visit.channel,
        kinds=command.options.get("only", "all").lower(),
        digest_time=_time(command.options.get("daily", "")),
        timezone=ZoneInfo(zone).key if zone else "",
        silent_when_quiet="silent" in command.options,
    )
    return await subscribe_route(kit, visitor, route)


async def subscribe_route(kit: Kit, visitor: Visitor, route: Route) -> Message:
    """Store the route and say what the channel hears from now on."""
    project = await kit.act(subscribe, route, by=await kit.person(visitor))
    heard = settings.KINDS.get(route.kinds, "Proposals and digest").lower()
    when = f"; the digest comes at {route.digest_time}" if route.digest_time else ""
    when += "; nothing when nothing is new" if route.silent_when_quiet else ""
    return notice.done(
        f"This channel hears about {project.repo}: {heard}{when}. If FlakeGuard is not in it yet, "
        "type /invite @FlakeGuard."
    )


def _time(text: str) -> str:
    """9:00 -> 09:00."""
    return text.rjust(5, "0") if text else ""


async def settings_wish(kit: Kit, visitor: Visitor, command: Command) -> None:
    """`settings [repo]`."""

    def look(tx: Tx) -> View:
        project = which_project(tx, visitor, command.text, Verb.SETTINGS)
        if isinstance(project, Message):
            repos = ", ".join(one.repo for one in projects_of(tx, visitor))
            raise ValidationError(f"Say which repository: /flakeguard settings and one of {repos[:300]}.")
        return _settings_view(tx, visitor, project.id)

    await kit.fill(visitor, "Settings", lambda: kit.read(look))


async def settings_dialog(kit: Kit, visitor: Visitor, project_id: int | None) -> None:
    """The settings of a project, or of the first one the visitor is admin of."""
    await kit.fill(visitor, "Settings", lambda: kit.read(_settings_view, visitor, project_id))


def _settings_view(tx: Tx, visitor: Visitor, project_id: int | None) -> View:
    project = _administered(tx, visitor, project_id)
    return settings.settings(reads.settings_page(tx, project.id, team=visitor.workspace.route_team))


def _administered(tx: Tx, visitor: Visitor, project_id: int | None) -> Project:
    """The named project, or the first one the visitor is admin of."""
    projects = projects_of(tx, visitor) if project_id is None else [project_of(tx, visitor, project_id)]
    if not projects:
        raise NotFoundError(
            "No repository is known here yet: flakeguard project create OWNER/NAME makes one."
        )
    for project in projects:
        if role_of(tx, project.id, visitor.visit.user) is Role.ADMIN and not visitor.foreign:
            return project
    raise ForbiddenError("Only admins of the repository change its settings.")
