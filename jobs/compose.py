"""Compose: make of stored state the value a message shows. Rendering it is the chat's part."""

from datetime import datetime

from core.errors import NotFoundError
from core.naming import full_name, longer_name, short_name
from core.quarantine import Quarantine, State
from core.saying import Note, ProposalCard, Saying
from jobs.digest_card import compose_digest, view_of
from jobs.storm_card import compose_storm
from storage.cause import followers
from storage.database import Tx
from storage.flake import failures_since
from storage.project import get_policy, get_project
from storage.publication import Publication
from storage.quarantine import get_quarantine, open_tests
from storage.slack import Route, subscriptions_of, users_of_login
from storage.test_case import TestCase, get_test, get_tests


def compose(tx: Tx, publication: Publication) -> Saying | None:
    """What the message should say now; None when it has become pointless."""
    try:
        return _compose(tx, publication)
    except NotFoundError:  # what it was about has been erased
        return None


def _compose(tx: Tx, publication: Publication) -> Saying | None:
    match publication.kind:
        case "proposal":
            return compose_card(tx, publication.project_id, publication.subject)
        case "digest":
            project = get_project(tx, publication.project_id)
            until = datetime.fromisoformat(publication.payload["until"])
            route = _route(tx, publication)
            return compose_digest(tx, project, until=until, route=route)
        case "storm":
            return compose_storm(tx, publication.project_id, publication.subject)
        case "note":
            return _note(tx, publication)
        case kind:
            raise AssertionError(f"nobody composes a {kind}")


def _route(tx: Tx, publication: Publication) -> Route | None:
    place = (publication.team, publication.channel)
    routes = subscriptions_of(tx, publication.project_id)
    return next((one for one in routes if (one.team, one.channel) == place), None)


def compose_card(tx: Tx, project_id: int, quarantine_id: int) -> ProposalCard:
    """The card of a quarantine in its present state."""
    quarantine = get_quarantine(tx, project_id, quarantine_id)
    project, policy = get_project(tx, project_id), get_policy(tx, project_id)
    test = get_test(tx, project_id, quarantine.test_id)
    failures, last = (0, None)
    if quarantine.state.in_force and quarantine.decided_at:
        failures, last = failures_since(tx, project_id, test.id, quarantine.decided_at)
    return ProposalCard(
        quarantine=quarantine,
        test=view_of(test),
        repo=project.repo,
        branch=project.default_branch,
        explanation=quarantine.evidence,
        approvers=policy.approver_group,
        short_name=_told_apart(tx, project_id, test),
        failures_since=failures,
        last_failure=last,
        url=str(quarantine.evidence.get("last_failed_url") or ""),
        also=_also(tx, quarantine),
    )


def _also(tx: Tx, quarantine: Quarantine) -> tuple[str, ...]:
    """The tests that stand on its card while it asks."""
    if quarantine.state is not State.PROPOSED:
        return ()
    led = [one.test_id for one in followers(tx, quarantine)]
    return tuple(sorted(full_name(test.key) for test in get_tests(tx, quarantine.project_id, led).values()))


def _told_apart(tx: Tx, project_id: int, test: TestCase) -> str:
    """Empty when the short name will do; a longer one when another open card would show the same."""
    others = get_tests(tx, project_id, open_tests(tx, project_id) - {test.id}).values()
    alike = any(short_name(other.key) == short_name(test.key) for other in others)
    return longer_name(test.key) if alike else ""


def _note(tx: Tx, publication: Publication) -> Note | None:
    payload = publication.payload
    if "ends" in payload and not _still_ending(tx, publication):
        return None
    return Note(
        text=str(payload.get("text", "")),
        quote=str(payload.get("quote", "")),
        test_name=str(payload.get("test_name", "")),
        url=str(payload.get("url", "")),
        mention=_owner_here(tx, publication) if payload.get("tell_owner") else "",
    )


def _owner_here(tx: Tx, publication: Publication) -> str:
    """The one person who owns the test, when that is one and known in this workspace; nobody otherwise."""
    quarantine = get_quarantine(tx, publication.project_id, publication.subject)
    owners = get_test(tx, publication.project_id, quarantine.test_id).owner.split()
    if len(owners) != 1 or "/" in owners[0]:
        return ""  # a team is not called for one test
    people = users_of_login(tx, owners[0].removeprefix("@"))
    return next((user for team, user in people if team == publication.team), "")


def _still_ending(tx: Tx, publication: Publication) -> bool:
    """A renewal or a release meanwhile makes the warning wrong."""
    quarantine = get_quarantine(tx, publication.project_id, publication.subject)
    ends = quarantine.until.isoformat() if quarantine.until else ""
    return quarantine.state is State.EXPIRING and ends == publication.payload["ends"]
