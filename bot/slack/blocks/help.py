"""`help`: what can be asked, with examples; needs no database and no Slack."""

from bot.slack.blocks.pieces import Message, context, rich, rich_line, section, words
from core.command import USAGE, Usage, Verb


def help_all() -> Message:
    """Every verb in a line."""
    lines = [part for usage in USAGE.values() for part in _line(usage)]
    return Message(
        "FlakeGuard: status, top, show, list, quarantine, release, snooze, history, subscribe, settings, whoami.",
        (
            section("*FlakeGuard finds flaky tests and lets you decide about them here.*"),
            rich(rich_line(words("Type /flakeguard and one of these:"))),
            rich(rich_line(*lines)),
            context("Only you see this", "`/flakeguard help top` tells more about one of them"),
        ),
    )


def _line(usage: Usage) -> tuple[dict[str, object], ...]:
    name, _, _options = usage.form.partition(" [--")
    return words(name, code=True), words(f"  {usage.does}\n")


def help_verb(verb: Verb) -> Message:
    """One verb with its form and an example."""
    usage = USAGE[verb]
    return Message(
        f"/flakeguard {usage.form}: {usage.does}",
        (
            section(f"`/flakeguard {usage.form}`\n{usage.does}"),
            section(f"*For example*\n`/flakeguard {usage.example}`"),
            context("Only you see this"),
        ),
    )
