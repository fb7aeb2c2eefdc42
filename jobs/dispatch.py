"""Dispatch on one node: a thread a kind of work, woken at once and otherwise every half second.

Truth is in the tables, so a lost wake-up costs half a second. On PostgreSQL several nodes run the same loops;
what they do is claimed row by row.
"""

import threading
from collections.abc import Callable

import structlog

from core.errors import DatabaseError

log = structlog.get_logger(__name__)

TICK = 0.5
"""Seconds between sweeps when nobody wakes us: also the longest a dead node's work lies unseen."""
REST_AFTER_FAULT = 2.0

Work = Callable[[], int]
"""Does what is due and answers how much it did; more may be waiting while that is not 0."""


class Loops:
    """One thread for each kind of work, so that a slow GitHub never delays Slack."""

    def __init__(self, *, tick: float = TICK, rest: float = REST_AFTER_FAULT) -> None:
        """Nothing runs before `start`."""
        self._tick, self._rest = tick, rest
        self._stop = threading.Event()
        self._loops: dict[str, _Loop] = {}

    def add(self, name: str, work: Work) -> None:
        """One more kind of work."""
        self._loops[name] = _Loop(name, work, self._stop, tick=self._tick, rest=self._rest)

    def start(self) -> None:
        """Begin sweeping."""
        for loop in self._loops.values():
            loop.thread.start()

    def wake(self, work: str) -> None:
        """Sweep this kind of work now; unknown kinds are nobody's work here."""
        if loop := self._loops.get(work):
            loop.woken.set()

    def stop(self, timeout: float = 10.0) -> None:
        """Finish what is being done and end."""
        self._stop.set()
        for loop in self._loops.values():
            loop.woken.set()
        for loop in self._loops.values():
            if loop.thread.is_alive():
                loop.thread.join(timeout)


class _Loop:
    def __init__(self, name: str, work: Work, stop: threading.Event, *, tick: float, rest: float) -> None:
        self.tick, self.rest = tick, rest
        self.name, self.work, self.stopped = name, work, stop
        self.woken = threading.Event()
        self.thread = threading.Thread(target=self.run, name=f"flakeguard-{name}", daemon=True)

    def run(self) -> None:
        while not self.stopped.is_set():
            self.woken.clear()
            if not self.once() and not self.stopped.is_set():
                self.woken.wait(self.tick)

    def once(self) -> int:
        try:
            return self.work()
        except DatabaseError as error:
            log.warning("sweep.database", work=self.name, error=error.message)
        except Exception:  # the outermost loop of the room: one bad row must not end the sweeping
            log.exception("sweep.failed", work=self.name)
        self.stopped.wait(self.rest)
        return 0
