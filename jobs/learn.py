"""Learn: what a project's decisions say of the chances it is judged by, and which chances are in force.

Nothing is learnt silently: the chances become part of the policy when somebody says so, as a version that is audited
and can be taken back.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from core.evidence import QTable
from core.learn import Decision, Lesson, Lessons, learn, shown
from core.policy import Policy
from core.q_table import PROVENANCE, to_plain
from core.tenancy import Person, Project
from jobs.desk import Desk
from jobs.settings import change_policy
from storage.database import Tx
from storage.decision import Decided, decisions
from storage.project import get_policy, get_project, policy_versions


@dataclass(frozen=True, slots=True)
class Schooling:
    """Shipped and learnt side by side, and which of them counts."""

    lessons: Lessons
    policy: Policy
    approved: int
    real_bugs: int

    @property
    def learnt(self) -> bool:
        """The chances in force were learnt here."""
        return bool(self.policy.learnt)

    @property
    def current(self) -> bool:
        """The decisions so far would give the chances in force."""
        return self.learnt and self.policy.learnt == to_plain(self.lessons.table)

    def to_dict(self) -> dict[str, Any]:
        """As the API and the command line say it."""
        return {
            "in_force": "learnt" if self.learnt else "shipped",
            "up_to_date": self.current or (not self.learnt and not self.lessons.decisions),
            "policy_version": self.policy.version,
            "decisions": self.lessons.decisions,
            "approved": self.approved,
            "real_bugs": self.real_bugs,
            "chances": _cells(self.lessons, self.policy.q_table()),
            "calibration": [asdict(row) for row in self.lessons.calibration],
            "shipped_from": PROVENANCE,
        }


def schooling(tx: Tx, project: Project) -> Schooling:
    """What the decisions so far add up to; made anew from all of them."""
    told = decisions(tx, project)
    lessons = learn(_lessons(told))
    bugs = sum(one.real_bug and not one.approved for one in told)
    return Schooling(
        lessons, get_policy(tx, project.id), approved=sum(one.approved for one in told), real_bugs=bugs
    )


def use_learnt(desk: Desk, project_id: int, *, by: Person) -> Policy:
    """Judge by what the decisions so far have taught."""
    with desk.database.read() as tx:
        found = schooling(tx, get_project(tx, project_id))
    return _put(desk, found.policy, project_id, to_plain(found.lessons.table), by=by)


def use_shipped(desk: Desk, project_id: int, *, by: Person) -> Policy:
    """Judge by the shipped chances again."""
    with desk.database.read() as tx:
        policy = get_policy(tx, project_id)
    return _put(desk, policy, project_id, {}, by=by)


def use_earlier(desk: Desk, project_id: int, *, by: Person) -> Policy:
    """Judge by the chances that were in force before the last change of them."""
    with desk.database.read() as tx:
        policy = get_policy(tx, project_id)
        versions = policy_versions(tx, project_id)
    earlier = next((one.learnt for one, _, _ in versions if one.learnt != policy.learnt), {})
    return _put(desk, policy, project_id, earlier, by=by)


def _put(desk: Desk, policy: Policy, project_id: int, table: dict[str, Any], *, by: Person) -> Policy:
    if policy.learnt == table:
        return policy
    changes = {"learnt": table}
    return change_policy(desk, project_id, changes, by=by, expected_version=policy.version)


def _lessons(told: Iterable[Decided]) -> Iterable[Lesson]:
    for one in told:
        pieces = shown(one.pieces)
        if pieces:
            yield Lesson(_meaning(one), pieces, one.name)


def _meaning(one: Decided) -> Decision:
    if one.approved:
        return Decision.FLAKE
    return Decision.REAL_BUG if one.real_bug else Decision.UNDECIDED


def _cells(lessons: Lessons, in_force: QTable) -> list[dict[str, Any]]:
    """Classes that can prove anything, with what people said of them."""
    return [
        {
            "class": str(cell.kind),
            "bucket": str(cell.bucket),
            "shipped": cell.shipped,
            "flakes": round(cell.flakes, 3),
            "bugs": round(cell.bugs, 3),
            "learnt": round(lessons.table[cell.kind][cell.bucket], 4),
            "in_force": round(in_force[cell.kind][cell.bucket], 4),
        }
        for cell in lessons.cells
        if cell.shipped > 0
    ]
