"""What a process remembers between runs, so that scoring does not read everything each time."""

import threading

from core.engine import ProjectState


class ScoreMemory:
    """Engine states by project, each valid for exactly one stored version. Taken out while somebody writes."""

    def __init__(self, keep: int = 64) -> None:
        """Keeps the states of the `keep` projects used last."""
        self._keep = keep
        self._states: dict[int, tuple[int, ProjectState]] = {}
        self._lock = threading.Lock()

    def take(self, project_id: int, version: int) -> ProjectState | None:
        """The state of this very version, now the caller's alone; None when there is none."""
        with self._lock:
            found = self._states.pop(project_id, None)
        return found[1] if found and found[0] == version else None

    def keep(self, project_id: int, version: int, state: ProjectState) -> None:
        """Hand a state back once its version is durable."""
        with self._lock:
            self._states[project_id] = (version, state)
            while len(self._states) > self._keep:
                self._states.pop(next(iter(self._states)))
