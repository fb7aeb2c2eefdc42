"""The terminal face: `flakeguard COMMAND`. Heavy libraries are imported inside the commands that need them."""

from bot.cli.main import main

__all__ = ["main"]
