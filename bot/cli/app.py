"""The tree of commands."""

import typer

from bot.cli import (
    channels,
    ci,
    decisions,
    learning,
    operation,
    reading,
    record,
    reports,
    tenants,
    trial,
    webhooks,
)

HELP = """Finds flaky tests from run history, lets people decide in Slack, makes CI obey.

New here? `flakeguard demo` shows the whole loop on this machine, `flakeguard doctor` checks the set-up."""
PLAIN = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="flakeguard",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    context_settings=PLAIN,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root(
    _: bool = typer.Option(
        False, "--version", is_eager=True, callback=operation.show_version, help="Say which version this is."
    ),
) -> None:
    """What is asked of the program itself, before any command."""


for room in (
    operation,
    tenants,
    channels,
    webhooks,
    reports,
    reading,
    decisions,
    learning,
    trial,
    ci,
    record,
):
    room.add_commands(app)
