"""One step of the engine: the moment at which something is learnt, and by which numbers it is judged."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from core.detection_state import ProjectState
from core.evidence import QTable
from core.execution import PastExecution
from core.thresholds import Thresholds

History = Callable[[int], Iterable[PastExecution]]
"""All stored executions of a test within `ledger.DAYS_KEPT` days, in any order; the current run may be among them."""


@dataclass(slots=True)
class Step:
    """What is being learnt, when, and of whom."""

    state: ProjectState
    now: int
    thresholds: Thresholds
    q_table: QTable
    changed: set[int] = field(default_factory=set)
    """Tests with new facts."""
    stale: set[int] = field(default_factory=set)
    """Tests whose verdict may be another now."""
