"""Reconcile: bring in what webhooks did not, first from GitHub's log of deliveries, then from its list of runs."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from itertools import takewhile

import structlog

from core.errors import FlakeGuardError
from core.github.event import read_envelope, relevant, wanted
from core.github.repository import Installation, Repository
from core.github.workflow import WorkflowRun
from jobs.collect import collect_run
from jobs.desk import Desk
from jobs.enlist import enlist_all
from jobs.forge import Forge, ForgeDelivery, SuspendedError, WaitError
from jobs.hook import IgnoredError
from jobs.receive import receive
from jobs.receive import sweep_inbox as sweep_inbox  # noqa: PLC0414 - the three sweeps are offered together
from storage import delivery as inbox
from storage import github as memory
from storage import workflow_run as seen
from storage.github import KnownRepository
from storage.project import get_project

log = structlog.get_logger(__name__)

KEPT_BY_GITHUB = timedelta(days=3)
"""How long github.com remembers a delivery; what is older only the list of runs tells."""
OVERLAP = timedelta(minutes=30)
IN_FLIGHT = timedelta(seconds=30)
"""A delivery this young may still be on its way to us."""
FIRST_LOOK = timedelta(days=1)
LONGEST_RUN = timedelta(days=1)
"""A run may be created this long before it completes."""
LONGEST_GAP = timedelta(days=30)
BUDGET = timedelta(minutes=20)
"""One pass stops here; the next goes on where it stopped."""
_MARK = "deliveries"


def heal_deliveries(desk: Desk) -> int:
    """Replay deliveries that never arrived; answers how many. Needs no way in: only GitHub is asked."""
    if desk.forge is None:
        return 0
    now = desk.now()
    with desk.database.read() as tx:
        mark = memory.get_mark(tx, _MARK)
    since = max(mark - OVERLAP if mark else now - KEPT_BY_GITHUB, now - KEPT_BY_GITHUB)
    try:
        healed = sum(_replay(desk, desk.forge, one) for one in _missed(desk, desk.forge, since, now))
    except WaitError as error:
        log.info("heal.put_off", seconds=round(error.retry_after))
        return 0
    with desk.database.begin() as tx:
        memory.set_mark(tx, _MARK, now)
    log.info("heal.done", healed=healed, since=since.isoformat(), gap=_gap(mark, now))
    return healed


def _gap(mark: datetime | None, now: datetime) -> float:
    """Hours before the reach of GitHub's log that nobody looked at: left to the list of runs."""
    return round(max(0.0, (now - mark - KEPT_BY_GITHUB).total_seconds() / 3600), 1) if mark else 0.0


def _missed(desk: Desk, forge: Forge, since: datetime, now: datetime) -> list[ForgeDelivery]:
    """One delivery for each id that never reached us, oldest first; what does not concern us is not fetched."""
    found: dict[str, ForgeDelivery] = {}
    arrived: set[str] = set()
    for one in forge.deliveries(since):
        if one.arrived:
            arrived.add(one.guid)
        elif relevant(one.event, one.action) and _settled(one, now):
            found.setdefault(one.guid, one)
    missed = [one for guid, one in found.items() if guid not in arrived]
    with desk.database.read() as tx:
        return [one for one in reversed(missed) if inbox.state_of_guid(tx, one.guid) is None]


def _settled(one: ForgeDelivery, now: datetime) -> bool:
    return one.delivered_at is None or one.delivered_at <= now - IN_FLIGHT


def _replay(desk: Desk, forge: Forge, one: ForgeDelivery) -> bool:
    """File the delivery as if it had arrived; GitHub answers our own question, so no signature is needed."""
    try:
        event, payload = forge.delivery_payload(one.id)
    except WaitError:
        raise
    except FlakeGuardError as error:
        log.warning("heal.not_found", delivery=one.id, reason=error.message)
        return False
    envelope = read_envelope(event or one.event, one.guid, payload)
    if not wanted(envelope, payload):
        return False
    # As GitHub writes it, so that a later redelivery of the same content has the same digest.
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    filed = receive(desk, envelope, digest=hashlib.sha256(body).hexdigest(), body=body)
    return filed != "duplicate"


def reconcile_runs(desk: Desk) -> int:
    """Collect finished runs nobody told us about; answers how many attempts were brought in."""
    if desk.forge is None:
        return 0
    ends = desk.now() + BUDGET
    _reconcile_installations(desk, desk.forge)
    with desk.database.read() as tx:
        repositories = memory.active_repositories(tx)
    in_time = takewhile(lambda _: desk.now() < ends, repositories)
    return sum(_reconcile(desk, desk.forge, known) for known in in_time)


def _reconcile_installations(desk: Desk, forge: Forge) -> None:
    try:
        present = list(forge.installations())
    except FlakeGuardError as error:
        log.warning("reconcile.installations", reason=error.message)
        return
    with desk.database.read() as tx:
        known = {one.id: one for one in memory.list_installations(tx)}
    gone = [one.id for one in known.values() if one.live and one.id not in {item.id for item in present}]
    now = desk.now()
    with desk.database.begin() as tx:
        for installation_id in gone:
            memory.remove_installation(tx, installation_id, now=now)
            inbox.cancel_deliveries(tx, installation_id=installation_id, now=now)
    for installation in present:
        there = known.get(installation.id)
        if there is None or there.live != (installation.suspended_at is None):
            _refresh_installation(desk, forge, installation)


def _refresh_installation(desk: Desk, forge: Forge, installation: Installation) -> None:
    """An installation we have not heard of, or that was suspended or resumed behind our back."""
    try:
        live = installation.suspended_at is None
        repositories = list(forge.repositories(installation.id)) if live else []
    except FlakeGuardError as error:
        log.warning("reconcile.repositories", installation=installation.id, reason=error.message)
        return
    now = desk.now()
    with desk.database.begin() as tx:
        memory.put_installation(tx, installation, now=now)
        memory.suspend_installation(tx, installation.id, at=installation.suspended_at, now=now)
        enlist_all(tx, installation, repositories, now=now)


def _reconcile(desk: Desk, forge: Forge, known: KnownRepository) -> int:
    now, brought = desk.now(), 0
    since = max((known.checked_until or now - FIRST_LOOK) - LONGEST_RUN, now - LONGEST_GAP)
    try:
        for start, end in _days(since, now):
            brought += _collect_all(desk, known, list(forge.runs(known.ref, start, end)))
    except (WaitError, SuspendedError) as error:
        log.info("reconcile.put_off", repository=known.ref.full_name, reason=error.message)
        return brought
    except FlakeGuardError as error:
        log.warning("reconcile.failed", repository=known.ref.full_name, reason=error.message)
        return brought
    with desk.database.begin() as tx:
        memory.reconciled(tx, known.project_id, now)
    return brought


def _days(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Whole days, so that the same question is asked again and GitHub can answer that nothing has changed."""
    start = datetime.combine(since.date(), time(), tzinfo=since.tzinfo)
    while start <= until:
        end = start + timedelta(days=1)
        yield start, end - timedelta(seconds=1)
        start = end


def _collect_all(desk: Desk, known: KnownRepository, runs: Iterable[WorkflowRun]) -> int:
    """Failed runs first: their artifacts are the ones a re-run may make unreachable."""
    ordered = sorted(runs, key=lambda run: (run.conclusion != "failure", run.id))
    return sum(_collect(desk, known, run) for run in ordered)


def _collect(desk: Desk, known: KnownRepository, run: WorkflowRun) -> bool:
    with desk.database.read() as tx:
        there = seen.find_workflow_run(tx, known.project_id, run.id, run.attempt)
        project = get_project(tx, known.project_id)
    if there is not None and there.collected_at is not None:
        return False
    repository = Repository(known.ref.repository_id, known.ref.full_name, project.default_branch)
    try:
        collect_run(desk, known.ref.installation_id, repository, run)
    except IgnoredError:
        return False
    log.info("reconcile.collected", repository=known.ref.full_name, run=run.id, attempt=run.attempt)
    return True
