"""Which FlakeGuard this is."""

from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


@cache
def version() -> str:
    """The version of the installed distribution; a bare checkout has none."""
    try:
        return installed("flakeguard-bot")
    except PackageNotFoundError:
        return "0+checkout"
