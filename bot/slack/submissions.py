"""What a submitted dialog asks for: its fields, their checks, and the job that does it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.slack import reads
from bot.slack.blocks import deny as deny_dialog
from bot.slack.blocks import dialog
from bot.slack.blocks import settings as settings_dialog
from bot.slack.blocks.pieces import View
from bot.slack.blocks.proposal import is_user_id
from bot.slack.blocks.words import count
from bot.slack.decisions import decided
from bot.slack.kit import Kit
from bot.slack.pages import SettingsPage
from bot.slack.tenancy import project_of, projects_of
from bot.slack.values import read_project, read_test
from bot.slack.visit import Visitor
from core.errors import ConflictError, NotFoundError, ValidationError
from core.policy import Policy
from core.quarantine import MAX_DAYS, Quarantine
from core.tenancy import Person, Role
from jobs import decide
from jobs import propose as proposing
from jobs.decide import MAX_COOLDOWN, REAL_BUG
from jobs.desk import Desk
from jobs.enroll import give_role, take_role
from jobs.settings import change_policy
from jobs.subscribe import check_admin, subscribe
from jobs.subscribe import link_login as link
from storage.approver import list_roles
from storage.database import Tx
from storage.project import get_policy
from storage.slack import Route, subscriptions_of

MAX_REASON = 500
_LOGIN = re.compile(r"@?[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in, by block; and the ids the dialog was opened for."""

    values: Mapping[str, Any]
    meta: Mapping[str, Any]

    @classmethod
    def read(cls, view: Mapping[str, Any]) -> "Form":
        """From Slack's view; odd parts are simply absent."""
        state = view.get("state") or {}
        blocks = state.get("values") if isinstance(state, Mapping) else {}
        values = {
            name: next((one for one in inner.values() if isinstance(one, Mapping)), {})
            for name, inner in (blocks or {}).items()
            if isinstance(inner, Mapping)
        }
        try:
            meta = json.loads(view.get("private_metadata") or "{}")
        except ValueError:
            meta = {}
        return cls(values, meta if isinstance(meta, dict) else {})

    def text(self, name: str) -> str:
        """A text field, trimmed."""
        value = self._of(name).get("value")
        return value.strip() if isinstance(value, str) else ""

    def choice(self, name: str) -> str:
        """A radio button's or a menu's value."""
        chosen = self._of(name).get("selected_option")
        value = chosen.get("value") if isinstance(chosen, Mapping) else ""
        return value if isinstance(value, str) else ""

    def picked(self, name: str, kind: str) -> str:
        """A conversation or a time."""
        value = self._of(name).get(kind)
        return value if isinstance(value, str) else ""

    def users(self, name: str) -> list[str]:
        """Chosen people."""
        value = self._of(name).get("selected_users")
        return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []

    def number(self, name: str, default: int) -> int | None:
        """A whole number; None when it is none."""
        text = self.text(name) or str(default)
        return int(text) if re.fullmatch(r"\d{1,6}", text, re.ASCII) else None

    @property
    def handle(self) -> str:
        """The quarantine the dialog is about; the job checks everything."""
        value = self.meta.get("q")
        return value if isinstance(value, str) else ""

    def _of(self, name: str) -> Mapping[str, Any]:
        found = self.values.get(name)
        return found if isinstance(found, Mapping) else {}


def in_range(
    form: Form, name: str, *, default: int, low: int, high: int, unit: str = "days"
) -> dict[str, str]:
    """The field's error in words, if any."""
    number = form.number(name, default)
    good = number is not None and low <= number <= high
    return {} if good else {name: f"{low} to {high} {unit}"}


# -- deny, release, renew -----------------------------------------------------------------------------


def check_deny(form: Form) -> dict[str, str]:
    """A reason is needed; “Other” needs words."""
    errors = in_range(form, "days", default=14, low=0, high=MAX_COOLDOWN) | check_reason_length(form)
    reason = form.choice("why")
    if reason not in deny_dialog.REASONS:
        errors["why"] = "Choose a reason."
    elif reason == "other" and not form.text("text"):
        errors["text"] = "Say in a few words why, so that others understand."
    return errors


def check_reason_length(form: Form) -> dict[str, str]:
    """Reasons are shown on a card."""
    return {"text": f"At most {MAX_REASON} characters."} if len(form.text("text")) > MAX_REASON else {}


def check_renew(form: Form) -> dict[str, str]:
    """A renewal needs a reason and a number of days."""
    errors = in_range(form, "days", default=14, low=1, high=MAX_DAYS) | check_reason_length(form)
    return errors if form.text("text") else {**errors, "text": "A renewal needs a reason."}


async def deny(kit: Kit, visitor: Visitor, form: Form) -> View:
    """The test keeps blocking merges."""
    why, text = form.choice("why"), form.text("text")
    title = deny_dialog.REASONS.get(why, "Other")
    reason = text if why == "other" else f"{title}: {text}" if text else title

    def step(desk: Desk, item: Quarantine, by: Person) -> Quarantine:
        return decide.deny(
            desk,
            item.id,
            by=by,
            reason=reason,
            cooldown_days=form.number("days", 14),
            project_id=item.project_id,
            real_bug=title == REAL_BUG,
        )

    return await decided(kit, visitor, form.handle, step)


async def release(kit: Kit, visitor: Visitor, form: Form) -> View:
    """The test blocks merges again."""

    def step(desk: Desk, item: Quarantine, by: Person) -> Quarantine:
        return decide.release(desk, item.id, by=by, reason=form.text("text"), project_id=item.project_id)

    return await decided(kit, visitor, form.handle, step)


async def renew(kit: Kit, visitor: Visitor, form: Form) -> View:
    """The quarantine goes on."""

    def step(desk: Desk, item: Quarantine, by: Person) -> Quarantine:
        days = form.number("days", 14) or 14
        return decide.extend(
            desk, item.id, by=by, reason=form.text("text"), days=days, project_id=item.project_id
        )

    return await decided(kit, visitor, form.handle, step)


# -- propose ------------------------------------------------------------------------------------------


def check_propose(form: Form) -> dict[str, str]:
    """Which test, why, for how long."""
    errors = in_range(form, "days", default=14, low=1, high=MAX_DAYS) | check_reason_length(form)
    if not form.text("text"):
        errors["text"] = "Say why, so that others can agree or object."
    if not isinstance(form.meta.get("t"), int) and not form.choice("pick") and not form.text("test"):
        errors["test"] = "Name the test, or a part of its name."
    return errors


async def propose(kit: Kit, visitor: Visitor, form: Form) -> View:
    """Ask the approvers."""
    project_id, test_id = await kit.read(_meant, visitor, form)
    proposed = await kit.act(
        proposing.propose,
        project_id=project_id,
        test_id=test_id,
        by=await kit.person(visitor),
        reason=form.text("text"),
        ttl_days=form.number("days", 14),
    )
    text = f"{proposed.name} waits for an approver; nothing changes until then."
    return dialog.outcome("Proposed", "success", text)


def _meant(tx: Tx, visitor: Visitor, form: Form) -> tuple[int, int]:
    project_id, test_id = form.meta.get("p"), form.meta.get("t")
    if isinstance(project_id, int) and isinstance(test_id, int):
        return project_of(tx, visitor, project_id).id, test_id
    if picked := form.choice("pick"):
        chosen = read_test(picked)
        return project_of(tx, visitor, chosen.project_id).id, chosen.test_id
    projects = projects_of(tx, visitor)
    if repo := form.choice("repo"):
        projects = [project_of(tx, visitor, read_project(repo).project_id)]
    found = reads.matches(tx, projects, form.text("test"))
    if not found:
        raise NotFoundError(f"No test has “{form.text('test')[:100]}” in its name, class or file.")
    if len(found) > 1:
        raise ValidationError(f"{len(found)} tests match; give more of the name.")
    return found[0][0].id, found[0][1].id


# -- settings -----------------------------------------------------------------------------------------


def check_settings(form: Form) -> dict[str, str]:
    """Ranges in words, and a quorum that can be reached."""
    return (
        _unreachable(form)
        | in_range(form, "quorum", default=1, low=1, high=5, unit="approvals")
        | in_range(form, "ttl", default=14, low=1, high=60)
        | in_range(form, "cap", default=25, low=1, high=500, unit="tests")
    )


def _unreachable(form: Form) -> dict[str, str]:
    """More approvals than people, told without the database; with a user group nobody can count."""
    needed, others = form.number("quorum", 1) or 1, form.meta.get("k")
    if not isinstance(others, list):
        return {}
    deciders = len({*filter(is_user_id, form.users("approvers")), *map(str, others)})
    if needed <= max(deciders, 1):
        return {}
    people = count(deciders, "approver")
    return {"quorum": f"You have {people}, so {needed} approvals can never be reached."}


async def save_settings(kit: Kit, visitor: Visitor, form: Form) -> View:
    """Store policy, approvers and route; when somebody saved meanwhile, show the present values instead."""
    person = visitor.person(guest=await kit.people.guest(visitor))
    project_id = form.meta.get("p")
    if not isinstance(project_id, int):
        raise ValidationError("This dialog belongs to another version of FlakeGuard.")
    await kit.read(lambda tx: check_admin(tx, project_of(tx, visitor, project_id), person))
    page = await kit.read(reads.settings_page, project_id, team=person.team)
    if await _uninvited(kit, visitor, page, form):
        return settings_dialog.settings(_filled(replace(page, uninvited=True), form))
    try:
        await kit.act(_save, project_id, form, person)
    except ConflictError:
        page = await kit.read(reads.settings_page, project_id, team=person.team, changed=True)
        return settings_dialog.settings(page)
    return dialog.outcome("Settings", "success", "Saved. Open proposals keep the policy they have.")


async def _uninvited(kit: Kit, visitor: Visitor, page: SettingsPage, form: Form) -> bool:
    """True when Slack says of a new channel that FlakeGuard cannot speak there; its silence is no reason to refuse."""
    channel = form.picked("channel", "selected_conversation")
    return channel not in {"", page.channel} and not await kit.replies.may_speak(visitor, channel)


def _filled(page: SettingsPage, form: Form) -> SettingsPage:
    """The page with what was filled in, so that nobody has to type it again."""
    return replace(
        page,
        policy=replace(page.policy, **{**_changes(form, page.policy), "version": page.policy.version}),
        approvers=tuple(form.users("approvers")),
        channel=form.picked("channel", "selected_conversation"),
        kinds=form.choice("what") or page.kinds,
        digest_time=form.picked("time", "selected_time") or page.digest_time,
    )


def _save(desk: Desk, project_id: int, form: Form, person: Person) -> None:
    version = form.meta.get("v")
    with desk.database.read() as tx:
        policy, listed = get_policy(tx, project_id), dict(list_roles(tx, project_id))
        routes = [one for one in subscriptions_of(tx, project_id) if one.team == person.team]
    wanted = {user for user in form.users("approvers") if is_user_id(user)}
    for user in sorted(wanted - set(listed)):
        give_role(desk, project_id, user, Role.APPROVER, by=person)
    if changes := _changes(form, policy):
        expected = version if isinstance(version, int) else None
        change_policy(desk, project_id, changes, expected_version=expected, by=person)
    for user in sorted(user for user, role in listed.items() if role is Role.APPROVER and user not in wanted):
        take_role(desk, project_id, user, by=person)
    _reroute(desk, project_id, form, routes, person)


def _changes(form: Form, policy: Policy) -> dict[str, Any]:
    paths = [path.strip() for path in form.text("never").splitlines() if path.strip()]
    asked = {
        "approvals_required": form.number("quorum", policy.approvals_required),
        "protected_paths": paths,
        "ttl_days": form.number("ttl", policy.ttl_days),
        "max_quarantined": form.number("cap", policy.max_quarantined),
    }
    now = policy.to_dict()
    return {name: value for name, value in asked.items() if value != now[name]}


def _reroute(desk: Desk, project_id: int, form: Form, routes: list[Route], person: Person) -> None:
    channel = form.picked("channel", "selected_conversation")
    if not channel:
        return
    before = next((one for one in routes if one.channel == channel), None)
    route = Route(
        project_id=project_id,
        team=person.team,
        channel=channel,
        kinds=form.choice("what") or "all",
        digest_time=form.picked("time", "selected_time"),
        timezone=before.timezone if before else "",
        silent_when_quiet=before.silent_when_quiet if before else False,
        muted_until=before.muted_until if before else None,
    )
    if route != before:
        subscribe(desk, route, by=person)


# -- login --------------------------------------------------------------------------------------------


def check_login(form: Form) -> dict[str, str]:
    """GitHub's own form of a login."""
    login = form.text("login")
    return {} if not login or _LOGIN.fullmatch(login) else {"login": "This is not a GitHub login."}


async def link_login(kit: Kit, visitor: Visitor, form: Form) -> View:
    """Remember it; the Home tab shows it the next time it is opened."""
    login = form.text("login").removeprefix("@")
    await kit.act(link, team=visitor.workspace.team, by=visitor.person(), login=login)
    text = f"Linked to {login}. Open the Home tab anew to see your tests." if login else "Unlinked."
    return dialog.outcome("Link GitHub", "success", text)
