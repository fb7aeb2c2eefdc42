"""`/flakeguard ...`: what needs no data is answered in the ack itself, everything else after it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack import answers, wishes
from bot.slack.blocks import help as helping
from bot.slack.blocks import notice
from bot.slack.blocks.pieces import Message
from bot.slack.escape import unescape
from bot.slack.incoming import read_payload
from bot.slack.kit import Kit
from bot.slack.visit import Visitor, visit_of
from core.command import Command, Unclear, Verb, nearest, parse

Verbs = Mapping[Verb, Callable[[Kit, Visitor, Command], Awaitable[Message | None]]]
VERBS: Verbs = {
    Verb.STATUS: answers.status_answer,
    Verb.TOP: answers.top_answer,
    Verb.SHOW: answers.show_answer,
    Verb.LIST: answers.list_answer,
    Verb.HISTORY: answers.history_answer,
    Verb.WHOAMI: answers.whoami_answer,
    Verb.QUARANTINE: wishes.quarantine_wish,
    Verb.RELEASE: wishes.release_wish,
    Verb.SNOOZE: wishes.snooze_wish,
    Verb.SUBSCRIBE: wishes.subscribe_wish,
    Verb.SETTINGS: wishes.settings_wish,
}
EFFECTS = frozenset({Verb.QUARANTINE, Verb.RELEASE, Verb.SNOOZE, Verb.SUBSCRIBE})


def register(app: AsyncApp, kit: Kit) -> None:
    """Listen to the one command."""

    @app.command(re.compile(r"^/flakeguard"))
    async def flakeguard(ack: AsyncAck, body: dict[str, Any]) -> None:
        command = parse(unescape(body.get("text") or ""))
        if at_once := instant(command):
            await ack(text=at_once.text, blocks=list(at_once.blocks), response_type="ephemeral")
            return
        await ack()
        assert isinstance(command, Command)
        kit.start(_answer(kit, body, command))


def instant(command: Command | Unclear) -> Message | None:
    """Help and corrections need neither database nor Slack."""
    if isinstance(command, Unclear):
        return notice.unclear(command)
    if command.verb is not Verb.HELP:
        return None
    if not command.words:
        return helping.help_all()
    word = command.words[0].lower()
    if word in set(Verb):
        return helping.help_verb(Verb(word))
    guess = nearest(word, list(Verb))
    return notice.unclear(
        Unclear(f"There is no command called “{word[:40]}”.", Verb(guess) if guess else None)
    )


async def _answer(kit: Kit, body: dict[str, Any], command: Command) -> None:
    visit = visit_of(read_payload(body))

    async def work(visitor: Visitor) -> Message | None:
        answer = await VERBS[command.verb](kit, visitor, command)
        if answer is None or "share" not in command.options:
            return answer
        await kit.replies.say(visitor, answer, share=True)
        return None

    await kit.serve(visit, work, once=command.verb in EFFECTS)
