"""`help`: what can be asked, with examples; needs no database and no Slack."""

from bot.slack.blocks.pieces import Message, context, section
from core.command import USAGE, Verb

INTRO = "*FlakeGuard finds flaky tests and lets you decide about them here.*"


def help_all() -> Message:
    """Every verb in a line."""
    lines = [f"`/flakeguard {usage.form}`\n{usage.does}" for usage in USAGE.values()]
    half = (len(lines) + 1) // 2
    return Message(
        "FlakeGuard: status, top, show, quarantine, release, list, snooze, history, subscribe, settings, whoami.",
        (
            section(INTRO),
            section("\n".join(lines[:half])),
            section("\n".join(lines[half:])),
            context("Only you see this", "`/flakeguard help top` tells more about one of them"),
        ),
    )


def help_verb(verb: Verb) -> Message:
    """One verb with its example."""
    usage = USAGE[verb]
    return Message(
        f"/flakeguard {usage.form}: {usage.does}",
        (
            section(f"`/flakeguard {usage.form}`\n{usage.does}"),
            section(f"*For example*\n`/flakeguard {usage.example}`"),
            context("Only you see this"),
        ),
    )
