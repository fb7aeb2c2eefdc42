"""The gate as a command: the same code that `/gate.py` hands to CI machines, plus the way without a server."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

RAW = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
"""The gate's options are read by its own parser, which CI machines have, too."""


def add_commands(app: typer.Typer) -> None:
    """Register it."""
    app.command("gate", context_settings=RAW, add_help_option=False)(gate)


def gate(context: typer.Context) -> None:
    """Let a failing CI step count as green when every failure is quarantined.

    gate [OPTIONS] -- COMMAND..., or gate --junit GLOB --exit-code N after the step; gate --help tells more.
    """
    from bot.gate.step import gate as step
    from bot.settings import environment

    try:
        code = step(_words(context), environment(), ask=_ask)
    except SystemExit as ended:  # argparse's way to end after --help and after wrong usage
        code = ended.code if isinstance(ended.code, int) else 2
    raise typer.Exit(code)


def _words(context: typer.Context) -> list[str]:
    """As they were typed: click swallows the `--` that separates the command."""
    return list(context.obj["words"])


def _ask(options: argparse.Namespace, fields: Mapping[str, str], files: Sequence[str]) -> Mapping[str, Any]:
    """Over HTTP, or straight from the database where no server is named but a project is."""
    from bot.gate.step import over_http

    if options.url or not options.project:
        return over_http(options, fields, files)
    return _from_database(fields, files)


def _from_database(fields: Mapping[str, str], files: Sequence[str]) -> Mapping[str, Any]:
    from bot.cli.reports import into_database
    from bot.gate.upload import TroubleError
    from core.errors import FlakeGuardError

    try:
        return into_database(fields, [Path(file) for file in files], wants_unmatched=True)
    except FlakeGuardError as error:
        raise TroubleError(error.message) from error
