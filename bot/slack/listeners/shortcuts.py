"""The two shortcuts: propose a quarantine from anywhere, and explain the failure a message talks about."""

import re
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack import answers, reads, wishes
from bot.slack.blocks import notice
from bot.slack.blocks.pieces import Message
from bot.slack.escape import unescape
from bot.slack.incoming import read_payload
from bot.slack.kit import Kit
from bot.slack.tenancy import projects_of
from bot.slack.visit import Visitor, visit_of
from core.command import Verb
from core.saying import TestView
from core.tenancy import Project
from storage.database import Tx

MAX_WORDS = 20
_WORD = re.compile(r"[\w./:\[\]-]{5,200}")


def register(app: AsyncApp, kit: Kit) -> None:
    """Listen to both."""

    @app.shortcut("fg.shortcut.propose")
    async def propose(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        kit.start(
            kit.serve(visit_of(read_payload(body)), lambda visitor: wishes.propose_dialog(kit, visitor, None))
        )

    @app.shortcut("fg.shortcut.explain")
    async def explain(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        text = unescape(str((body.get("message") or {}).get("text") or ""))
        kit.start(kit.serve(visit_of(read_payload(body)), lambda visitor: _explain(kit, visitor, text)))


async def _explain(kit: Kit, visitor: Visitor, text: str) -> Message:
    found = await kit.read(_mentioned, visitor, text)
    if not found:
        return notice.refused(
            "This message names no test FlakeGuard knows. Try /flakeguard show and a part of its name."
        )
    if len(found) == 1:
        project, test = found[0]
        return await answers.show_of(kit, visitor, project.id, test.id)
    choices = [(project.id, test) for project, test in found]
    return notice.choose_test(choices, len(choices), Verb.SHOW.value)


def _mentioned(tx: Tx, visitor: Visitor, text: str) -> list[tuple[Project, TestView]]:
    """Tests whose whole name stands in the text."""
    projects = projects_of(tx, visitor)
    found: dict[int, tuple[Project, TestView]] = {}
    for word in candidates(text):
        for project, test in reads.matches(tx, projects, word):
            if test.name in text or word.endswith(test.name):
                found[test.id] = (project, test)
    return list(found.values())


def candidates(text: str) -> list[str]:
    """Words that look like names of tests: they hold an underscore, a colon pair, or a capital inside."""
    words = dict.fromkeys(word.strip(".:,-") for word in _WORD.findall(text))
    named = [word for word in words if re.search(r"_|::|[a-z][A-Z]", word)]
    return named[:MAX_WORDS]
