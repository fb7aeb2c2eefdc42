"""Admit: what signing in to the web pages writes, a secret made once and tickets used once."""

import hashlib

from jobs.desk import Desk
from storage.secret import find_secret, keep_secret
from storage.slack import first_time

SECRET = "web"  # noqa: S105 - the secret's name, not the secret


def signing_secret(desk: Desk, randomness: bytes) -> bytes:
    """The random value all nodes sign with; `randomness` becomes it when there is none yet."""
    with desk.database.read() as tx:
        found = find_secret(tx, SECRET)
    if found is not None:
        return found
    with desk.database.begin() as tx:
        return keep_secret(tx, SECRET, randomness, desk.now())


def use_ticket(desk: Desk, ticket: str) -> bool:
    """True once for each ticket, whichever node asks."""
    key = f"web:{hashlib.sha256(ticket.encode()).hexdigest()}"
    with desk.database.begin() as tx:
        return first_time(tx, key, desk.now())
