"""`history`: who did what to a test, when and why, from the audit log."""

from bot.slack.blocks.identity import identity
from bot.slack.blocks.pieces import Block, Message, bullets, context, date, rich, section, user, words
from bot.slack.blocks.proposal import is_user_id
from bot.slack.blocks.words import count, short_name
from bot.slack.escape import escape, line
from bot.slack.pages import HistoryPage
from core.audit import AuditEvent

MAX_EVENTS = 20


def history(page: HistoryPage) -> Message:
    """Newest first; reasons are other people's words and stay literal."""
    name = escape(short_name(page.test))
    if not page.events:
        text = f"Nothing was ever decided about {name}."
        blocks: tuple[Block, ...] = (identity(page.test, page.repo), section("*Nothing was decided yet.*"))
        return Message(text, (*blocks, context("Only you see this")))
    shown = page.events[:MAX_EVENTS]
    title = f"*{count(len(page.events), 'event')}*, newest first"
    return Message(
        f"{count(len(page.events), 'event')} in the history of {name}.",
        (
            identity(page.test, page.repo),
            section(title),
            rich(bullets(_event(event) for event in shown)),
            context("Only you see this", "the whole log: `flakeguard audit`"),
        ),
    )


def _event(event: AuditEvent) -> list[Block]:
    verb = line(event.action.rpartition(".")[2].replace("_", " "), 40)
    who = user(event.actor) if is_user_id(event.actor) else words(line(event.actor, 60))
    reason = (event.details or {}).get("reason")
    parts = [date(event.at, time=True), words("  "), who, words(f" {verb}", bold=True)]
    if event.via and event.via != "slack":
        parts.append(words(f" ({line(event.via, 20)})"))
    return [*parts, words(f": {line(reason, 200)}")] if isinstance(reason, str) and reason else parts
