"""Runs one command and turns whatever happens into an exit code and one clear line."""

import sys
from collections.abc import Sequence
from typing import Any

import typer

from bot.cli.output import complain, complain_json
from core.errors import DatabaseError, FlakeGuardError

USAGE_ERROR: Any = typer.BadParameter.__base__
"""Click's UsageError, which newer Typers carry in a copy of their own."""
FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """0 done, 1 refused or failed, 2 wrong usage; never a traceback."""
    words = list(sys.argv[1:] if argv is None else argv)
    wants_json = "--json" in words[: words.index("--") if "--" in words else None]
    try:
        return _run(words)
    except FlakeGuardError as error:
        return _failed(error, wants_json=wants_json)
    except typer.Abort:
        return INTERRUPTED
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _silence()
        return FAILED
    except Exception as error:  # noqa: BLE001 - the outermost loop of the terminal: people get a line, the log the rest
        return _crashed(error, wants_json=wants_json)


def _run(words: Sequence[str]) -> int:
    from bot.cli.app import app

    try:
        answer = typer.main.get_command(app).main(
            list(words), prog_name="flakeguard", standalone_mode=False, obj={"words": list(words[1:])}
        )
    except typer.Exit as ended:
        return ended.exit_code
    except USAGE_ERROR as error:
        error.show()
        return WRONG_USAGE
    return answer if isinstance(answer, int) else 0


def _failed(error: FlakeGuardError, *, wants_json: bool) -> int:
    # What a database said names its host or file: nothing for the web, everything for whoever runs the command.
    why = " ".join(str(error.details.get("reason") or "").split()) if isinstance(error, DatabaseError) else ""
    complain(f"{error.message} ({why})" if why else error.message)
    if wants_json:
        complain_json(error.kind, error.message)
    return FAILED


def _crashed(error: Exception, *, wants_json: bool) -> int:
    import structlog

    from bot.cli.opened import log_level, quiet_logs

    quiet_logs(log_level())
    structlog.get_logger(__name__).debug("command.crashed", exc_info=error)
    told = f"{type(error).__name__}: {error}".splitlines()[0]
    complain(f"something went wrong that should not ({told}); FLAKEGUARD_LOG_LEVEL=DEBUG shows where")
    if wants_json:
        complain_json("processing_error", told)
    return FAILED


def _silence() -> None:
    """Python would complain once more about the closed pipe while it ends."""
    sys.stderr.close()
