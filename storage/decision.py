"""What people decided about proposals, read back from the audit log with the pieces of evidence they were shown."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from core.tenancy import Project
from storage.audit import AuditRow
from storage.database import Tx
from storage.quarantine import QuarantineRow

APPROVED, DENIED = "quarantine.approved", "quarantine.denied"
BATCH = 500


@dataclass(frozen=True, slots=True)
class Decided:
    """One person's word on one proposal."""

    name: str
    approved: bool
    real_bug: bool
    pieces: list[dict[str, Any]]


def decisions(tx: Tx, project: Project) -> list[Decided]:
    """Every decision of a person, oldest first; what the policy approved by itself is nobody's word."""
    told = list(_told(tx, project))
    shown = _pieces(tx, project.id, {name for name, _, _ in told})
    return [
        Decided(name, action == APPROVED, bool(details.get("real_bug")), shown[name])
        for name, action, details in told
        if name in shown
    ]


def _told(tx: Tx, project: Project) -> Iterator[tuple[str, str, dict[str, Any]]]:
    query = (
        select(col(AuditRow.subject), col(AuditRow.action), col(AuditRow.details))
        .where(
            col(AuditRow.organization_id) == project.organization_id,
            col(AuditRow.project_id) == project.id,
            col(AuditRow.action).in_((APPROVED, DENIED)),
        )
        .order_by(col(AuditRow.seq))
    )
    for name, action, details in tx.execute(query):
        if not details.get("by_policy"):
            yield name, action, details


def _pieces(tx: Tx, project_id: int, names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Only what was decided, and of its evidence only what is learnt from: the rest is many times as long."""
    found: dict[str, list[dict[str, Any]]] = {}
    ids = sorted(int(name.removeprefix("q-")) for name in names)
    query = select(col(QuarantineRow.id), col(QuarantineRow.evidence)["pieces"])
    mine = col(QuarantineRow.project_id) == project_id
    for start in range(0, len(ids), BATCH):
        some = query.where(mine, col(QuarantineRow.id).in_(ids[start : start + BATCH]))
        found |= {f"q-{number}": pieces or [] for number, pieces in tx.execute(some)}
    return found
