"""Which roster a run's columns refer to: its job's, another with just these tests, or a new one."""

import hashlib
import re
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlmodel import Field, SQLModel, col

from core.ids import NO_IDS, Ids, contains
from core.run import Run
from storage.columns import BigId, Bytes
from storage.database import Tx
from storage.knowledge import Knowledge, knowledge, lock_identities
from storage.test_list import find_list, list_key, put_list, read_lists
from storage.upsert import put

NEW_SHARE = 0.05
"""Beyond this share of tests that are not on it, a roster is replaced."""
KNOWN_SHARE = 1 / 512
"""... and already beyond this one, when the tests are known ones: they will come again."""
SPARSE = 2
"""A run with less than this part of its job's roster may have a stable roster of its own (a shard)."""
VERY_SPARSE = 16
_DIGITS = re.compile(r"\d+")


class JobRosterRow(SQLModel, table=True):
    """The present roster of one part of a job."""

    __tablename__ = "job_roster"

    project_id: int = Field(primary_key=True, sa_type=BigId)
    job: bytes = Field(primary_key=True, sa_type=Bytes)
    part: int = Field(primary_key=True)
    list_id: int = Field(sa_type=BigId)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A roster, and the run's tests that are not on it (sorted)."""

    list_id: int
    members: Ids
    extra: Ids = field(default_factory=lambda: NO_IDS)


def job_key(run: Run) -> bytes:
    """16 bytes for a job without its numbers: the shards of one job share a roster."""
    name = f"{_DIGITS.sub('#', run.job)}\x1e{run.variant}"
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:16]


def choose_roster(
    tx: Tx, project_id: int, job: bytes, part: int, ids: Ids, *, created: Ids, partial: bool
) -> Chosen:
    """For these sorted ids of a run. A partial run uses what is there and changes nothing of it."""
    known = knowledge(tx, project_id)
    present = _present(tx, known, job, part)
    if present is None:
        return _first(tx, known, job, part, ids, partial=partial)
    list_id, members = present
    if np.array_equal(members, ids):
        return Chosen(list_id, members)
    extra = ids[~contains(members, ids)]
    if len(members) - (len(ids) - len(extra)) > SPARSE * len(ids):
        own = _own(tx, known, ids)
        if own is not None:
            return Chosen(own, ids)
    if partial or _fits(ids, extra, created):
        return Chosen(list_id, members, extra)
    return _advance(tx, known, job, part, _next(members, ids))


def _present(tx: Tx, known: Knowledge, job: bytes, part: int) -> tuple[int, Ids] | None:
    list_id = known.roster(job, part) or _read_roster(tx, known.project_id, job, part)
    if list_id is None:
        return None
    members = known.members(list_id)
    if members is None:
        members = read_lists(tx, known.project_id, [list_id])[list_id]
        known.found.members[list_id] = members
    known.found.rosters[job, part] = list_id
    return list_id, members


def _read_roster(tx: Tx, project_id: int, job: bytes, part: int) -> int | None:
    query = select(col(JobRosterRow.list_id)).where(
        col(JobRosterRow.project_id) == project_id,
        col(JobRosterRow.job) == job,
        col(JobRosterRow.part) == part,
    )
    return tx.execute(query).scalar()


def _first(tx: Tx, known: Knowledge, job: bytes, part: int, ids: Ids, *, partial: bool) -> Chosen:
    if partial:
        return Chosen(_list(tx, known, ids), ids)
    return _advance(tx, known, job, part, ids)


def _fits(ids: Ids, extra: Ids, created: Ids) -> bool:
    known_extra = len(extra) - int(np.count_nonzero(contains(created, extra)))
    return len(extra) <= len(ids) * NEW_SHARE and known_extra <= len(ids) * KNOWN_SHARE


def _next(members: Ids, ids: Ids) -> Ids:
    both = np.union1d(members, ids)
    return ids if len(both) > VERY_SPARSE * len(ids) else both


def _own(tx: Tx, known: Knowledge, ids: Ids) -> int | None:
    """The roster with exactly these ids, if there is one or they have come together before."""
    key = list_key(ids)
    found = known.list_id(key) or find_list(tx, known.project_id, key)
    if found is None and known.repeated(key):
        found = _list(tx, known, ids)
    if found is not None:
        known.found.lists[key] = found
    return found


def _list(tx: Tx, known: Knowledge, ids: Ids) -> int:
    lock_identities(tx, known.project_id)
    list_id = put_list(tx, known.project_id, ids)
    known.found.members[list_id] = ids
    return list_id


def _advance(tx: Tx, known: Knowledge, job: bytes, part: int, ids: Ids) -> Chosen:
    list_id = _list(tx, known, ids)
    values = {"project_id": known.project_id, "job": job, "part": part, "list_id": list_id}
    put(tx, JobRosterRow, values, on=["project_id", "job", "part"])
    known.found.rosters[job, part] = list_id
    return Chosen(list_id, ids)


def places_in(chosen: Chosen, ids: Ids) -> npt.NDArray[np.int64]:
    """Where each of the run's ids stands among the roster's followed by the extra ones."""
    places = np.searchsorted(chosen.members, ids)
    if not len(chosen.extra):
        return places
    outside = ~contains(chosen.members, ids)
    places[outside] = len(chosen.members) + np.searchsorted(chosen.extra, ids[outside])
    return places
