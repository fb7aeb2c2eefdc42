"""What people decided about proposals, read back from the audit log with the evidence they were shown."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from core.tenancy import Project
from storage.audit import AuditRow
from storage.database import Tx
from storage.quarantine import QuarantineRow

APPROVED, DENIED = "quarantine.approved", "quarantine.denied"


@dataclass(frozen=True, slots=True)
class Decided:
    """One person's word on one proposal."""

    name: str
    approved: bool
    real_bug: bool
    evidence: dict[str, Any]


def decisions(tx: Tx, project: Project) -> list[Decided]:
    """Every decision of a person, oldest first; what the policy approved by itself is nobody's word."""
    shown = _evidence(tx, project.id)
    query = (
        select(col(AuditRow.subject), col(AuditRow.action), col(AuditRow.details))
        .where(
            col(AuditRow.organization_id) == project.organization_id,
            col(AuditRow.project_id) == project.id,
            col(AuditRow.action).in_((APPROVED, DENIED)),
        )
        .order_by(col(AuditRow.seq))
    )
    return [
        Decided(name, action == APPROVED, bool(details.get("real_bug")), shown[name])
        for name, action, details in tx.execute(query)
        if name in shown and not details.get("by_policy")
    ]


def _evidence(tx: Tx, project_id: int) -> dict[str, dict[str, Any]]:
    query = select(col(QuarantineRow.id), col(QuarantineRow.evidence)).where(
        col(QuarantineRow.project_id) == project_id
    )
    return {f"q-{number}": evidence for number, evidence in tx.execute(query)}
