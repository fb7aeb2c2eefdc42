"""What a transaction knows of a project's identities: the process's memory of its epoch, and its own findings."""

from collections.abc import Iterable
from functools import cache

import numpy as np
import numpy.typing as npt
from sqlalchemy import bindparam, select, update
from sqlmodel import Field, SQLModel, col

from core.ids import Ids
from core.run import Run
from storage.columns import BigId, insert_ignore
from storage.database import Query, Tx, lock_project, unit_of
from storage.memory import MOST_RUNS, Facts, Memory

IDENTITIES = 1
"""The advisory lock for writing identities: creating in different orders, two writers would deadlock."""


class ProjectIdentityRow(SQLModel, table=True):
    """The epoch of a project's identities: it moves whenever what processes remember has become wrong."""

    __tablename__ = "project_identity"

    project_id: int = Field(primary_key=True, sa_type=BigId)
    epoch: int = Field(sa_type=BigId)


class Knowledge:
    """Look-ups go to this transaction's findings first, then to the process's memory."""

    def __init__(self, memory: Memory, project_id: int, epoch: int) -> None:
        """Empty findings on top of what the process knows of this epoch."""
        self.project_id = project_id
        self.found = Facts(epoch)
        self.runs: dict[int, Run] = {}
        self.locked = False
        self._memory = memory
        self._past = memory.facts(project_id, epoch) or Facts(epoch)

    @property
    def epoch(self) -> int:
        return self.found.epoch

    def block(self, key: bytes) -> Ids | None:
        """Ids of a block of names."""
        found = self.found.blocks.get(key)
        return found if found is not None else self._past.blocks.get(key)

    def remember(self, key: bytes, ids: Ids) -> None:
        """A block resolved the long way; it is worth a row when it comes again."""
        self.found.blocks[key] = ids
        self.found.fresh.add(key)

    def unstored(self, keys: Iterable[bytes]) -> list[bytes]:
        """Those of the blocks that have no row yet."""
        fresh = self.found.fresh | self._past.fresh
        return [key for key in keys if key in fresh and key not in self.found.stored]

    def list_id(self, key: bytes) -> int | None:
        """The roster with exactly these ids."""
        return self.found.lists.get(key) or self._past.lists.get(key)

    def roster(self, job: bytes, part: int) -> int | None:
        """The present roster of a job."""
        return self.found.rosters.get((job, part)) or self._past.rosters.get((job, part))

    def members(self, list_id: int) -> Ids | None:
        """The ids of a roster."""
        found = self.found.members.get(list_id)
        return found if found is not None else self._past.members.get(list_id)

    def noted(self, list_id: int) -> tuple[int, npt.NDArray[np.bool_]] | None:
        """Which of a roster's tests are noted as seen in which hour."""
        return self.found.noted.get(list_id) or self._past.noted.get(list_id)

    def aliases(self) -> dict[int, int] | None:
        """Older id -> today's id; None when not read yet."""
        return self.found.aliases if self.found.aliases is not None else self._past.aliases

    def run(self, run_pk: int) -> Run | None:
        """A run seen before."""
        return self.runs.get(run_pk) or self._memory.runs.get(run_pk)

    def met(self, runs: dict[int, Run]) -> None:
        """Runs just read; a transaction that walks along a whole history does not keep all of it."""
        if len(self.runs) + len(runs) > MOST_RUNS:
            self.runs = {}
        self.runs |= runs

    def repeated(self, key: bytes) -> bool:
        """True when this process meets the key for the second time."""
        return self._memory.seen_before(key)

    def commit(self) -> None:
        """The transaction is durable: what it found is true."""
        if self.epoch < 0:
            return
        self._memory.learn(self.project_id, self.found)
        self._memory.learn_runs(self.runs)


def knowledge(tx: Tx, project_id: int) -> Knowledge:
    """What this transaction knows of the project."""
    unit = unit_of(tx)
    savepoint = tx.get_nested_transaction()
    known = unit.notes.get(("knowledge", project_id, savepoint))
    if isinstance(known, Knowledge):
        return known
    fresh = Knowledge(unit.memory, project_id, stored_epoch(tx, project_id))
    unit.notes["knowledge", project_id, savepoint] = fresh
    if savepoint is None:
        # A savepoint may be rolled back behind our back; what is found in one is not kept.
        unit.after_commit.append(fresh.commit)
    return fresh


def forget(tx: Tx, project_id: int) -> None:
    """This transaction's findings are no longer to be trusted."""
    known = unit_of(tx).notes.pop(("knowledge", project_id, tx.get_nested_transaction()), None)
    if isinstance(known, Knowledge):
        known.found = Facts(-1)


def stored_epoch(tx: Tx, project_id: int) -> int:
    """The project's identity epoch."""
    return tx.execute(_epoch(), {"project": project_id}).scalar() or 0


@cache
def _epoch() -> Query:
    mine = col(ProjectIdentityRow.project_id) == bindparam("project")
    return select(col(ProjectIdentityRow.epoch)).where(mine)


def lock_identities(tx: Tx, project_id: int) -> bool:
    """Nobody else writes the project's identities until this transaction ends; True when the epoch still holds."""
    known = knowledge(tx, project_id)
    if known.locked:
        return True
    lock_project(tx, IDENTITIES, project_id)
    known.locked = True
    return stored_epoch(tx, project_id) == known.epoch


def move_epoch(tx: Tx, project_id: int) -> None:
    """Make every process forget what it remembers of the project, once this is committed."""
    insert_ignore(tx, ProjectIdentityRow, {"project_id": project_id, "epoch": 0})
    mine = col(ProjectIdentityRow.project_id) == project_id
    tx.execute(update(ProjectIdentityRow).where(mine).values(epoch=col(ProjectIdentityRow.epoch) + 1))
    forget(tx, project_id)
