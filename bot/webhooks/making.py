"""Endpoints with their secrets: made here, shown once, sealed before anything is stored."""

import secrets
from collections.abc import Iterable
from datetime import timedelta

from bot.settings import Settings
from bot.vault import Vault
from bot.webhooks.reach import reach
from core.errors import ConflictError
from core.signature import make_secret
from core.tenancy import Person
from jobs.connect import Listener, add_endpoint, rotate_secret
from jobs.desk import Desk
from storage.endpoint import Endpoint

RANDOM_BYTES = 32


class NoVaultError(ConflictError):
    """Webhooks need FLAKEGUARD_SECRET_KEY, which encrypts their secrets at rest; .env.example says how to make one."""


def create(
    desk: Desk,
    settings: Settings,
    listener: Listener,
    url: str,
    *,
    by: Person,
    events: Iterable[str] = (),
    description: str = "",
) -> tuple[Endpoint, str]:
    """A new endpoint, and its secret in clear for this one moment."""
    secret, sealed = _new_secret(settings)
    made = add_endpoint(
        desk,
        listener,
        url,
        reach=reach(settings),
        secret=sealed,
        by=by,
        events=events,
        description=description,
    )
    return made, secret


def rotate(
    desk: Desk,
    settings: Settings,
    endpoint_id: int,
    *,
    by: Person,
    overlap: timedelta,
    project_id: int | None = None,
) -> tuple[Endpoint, str]:
    """The same endpoint with a new secret."""
    secret, sealed = _new_secret(settings)
    made = rotate_secret(desk, endpoint_id, sealed, by=by, overlap=overlap, project_id=project_id)
    return made, secret


def _new_secret(settings: Settings) -> tuple[str, bytes]:
    vault = Vault(settings)
    if not vault.ready:
        raise NoVaultError
    secret = make_secret(secrets.token_bytes(RANDOM_BYTES))
    return secret, vault.seal(secret)
