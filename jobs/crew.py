"""The crew: so many turns of delivery side by side, so that an endpoint that hangs holds up no other."""

import threading

import structlog

from core.errors import DatabaseError
from jobs.deliver import take_turn
from jobs.desk import Desk
from storage.webhook import due_endpoints

log = structlog.get_logger(__name__)

HANDS = 8
"""Endpoints served at once by one process."""


class Crew:
    """Gives every due endpoint a thread of its own, as long as there are hands."""

    def __init__(self, desk: Desk, *, hands: int = HANDS) -> None:
        """Nothing runs before `work`."""
        self._desk, self._hands = desk, hands
        self._busy: set[int] = set()
        self._changed = threading.Condition()
        self._over = threading.Event()

    def work(self) -> int:
        """Begin a turn for whoever is due. Always 0: what is begun here is done elsewhere."""
        if self._desk.courier is None:
            return 0
        with self._desk.database.read() as tx:
            due = due_endpoints(tx, self._desk.now(), limit=2 * self._hands)
        for endpoint_id in due:
            self._begin(endpoint_id)
        return 0

    def rest(self, seconds: float) -> bool:
        """Begin nothing more and wait until nobody is on the way; False when that takes longer."""
        self._over.set()
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy, timeout=seconds)

    def _begin(self, endpoint_id: int) -> None:
        with self._changed:
            if self._over.is_set() or endpoint_id in self._busy or len(self._busy) >= self._hands:
                return
            self._busy.add(endpoint_id)
        threading.Thread(
            target=self._turn, args=[endpoint_id], name=f"flakeguard-webhook-{endpoint_id}", daemon=True
        ).start()

    def _turn(self, endpoint_id: int) -> None:
        assert self._desk.courier is not None
        arrived = 0
        try:
            arrived = take_turn(self._desk, self._desk.courier, endpoint_id, over=self._over.is_set)
        except DatabaseError as error:
            log.warning("sweep.database", work="webhooks", error=error.message)
        except Exception:  # the outermost loop of the room: the sweep tries again
            log.exception("sweep.failed", work="webhooks")
        finally:
            with self._changed:
                self._busy.discard(endpoint_id)
                self._changed.notify_all()
                # After a turn in vain the next sweep is soon enough: a replica that lags behind, or a row that
                # cannot be read, would have us turn without a pause.
                if arrived:
                    self._desk.dispatch.wake("webhooks")
