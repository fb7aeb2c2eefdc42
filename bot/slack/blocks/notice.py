"""Short answers to one person: done, refused, failed, not understood, several matches."""

from collections.abc import Sequence

from bot.slack.blocks.pieces import (
    Block,
    Message,
    actions,
    context,
    date,
    option,
    rich,
    rich_line,
    section,
    select,
    user,
    words,
)
from bot.slack.blocks.proposal import is_user_id
from bot.slack.blocks.words import count, full_id, short_name
from bot.slack.escape import escape, line, paragraph
from bot.slack.values import project_value, value_of_test
from core.command import USAGE, Unclear
from core.quarantine import Quarantine, State
from core.saying import TestView

MAX_CHOICES = 100
DONE = {State.ACTIVE: "approved", State.EXPIRING: "approved", State.EXPIRED: "released"}


def literal(text: str) -> Block:
    """A sentence that may hold foreign words."""
    return rich(rich_line(words(paragraph(text, 1000))))


def done(text: str) -> Message:
    """Something worked; only said where no message shows it."""
    return Message(escape(text, 1000), (literal(text), context("Only you see this")))


def refused(text: str) -> Message:
    """Policy or state said no; the sentence says why."""
    head = rich(rich_line(words("Nothing was changed. ", bold=True), words(paragraph(text, 1000))))
    return Message(f"Nothing was changed. {escape(text, 1000)}", (head, context("Only you see this")))


def failed(text: str, ref: str) -> Message:
    """Something broke; the reference is in the log."""
    head = rich(
        rich_line(
            words("Nothing was changed. ", bold=True),
            words(f"{paragraph(text, 500)} "),
            words(f"ref {ref}", code=True),
        )
    )
    return Message(f"Nothing was changed. {escape(text, 500)} ref {ref}", (head,))


def unclear(problem: Unclear) -> Message:
    """Not understood: say why, what was probably meant, and how to get help."""
    text = paragraph(problem.reason, 300)
    blocks: list[Block] = [literal(text)]
    if problem.suggestion:
        blocks.append(section(f"Did you mean `/flakeguard {USAGE[problem.suggestion].form}`?"))
    blocks.append(context("Only you see this", "`/flakeguard help` shows everything"))
    return Message(escape(text, 300), tuple(blocks))


def choose_test(matches: Sequence[tuple[int, TestView]], total: int, verb: str, *, rest: str = "") -> Message:
    """Several tests match (project id, test): pick one, and the verb goes on with it."""
    options = [
        option(short_name(test), value_of_test(project_id, test.id, rest), description=full_id(test, 75))
        for project_id, test in matches[:MAX_CHOICES]
    ]
    more = f", the first {len(options)} are shown" if total > len(options) else ""
    pick = actions(select(f"fg.choose.{verb}", "Choose a test…", options))
    title = f"{count(total, 'test matches', 'tests match')}{more}"
    return Message(f"{title}. Choose one.", (section(f"*{title}*"), pick, context("Only you see this")))


def choose_repo(repos: Sequence[tuple[int, str]], verb: str, *, rest: str = "") -> Message:
    """Several repositories: pick one, and the verb goes on with it."""
    options = [option(repo, project_value(project_id, rest)) for project_id, repo in repos[:MAX_CHOICES]]
    pick = actions(select(f"fg.repo.{verb}", "Choose a repository…", options))
    title = f"{count(len(repos), 'repository', 'repositories')} here"
    return Message(
        f"{title}. Which one?", (section(f"*{title}.* Which one?"), pick, context("Only you see this"))
    )


def settled(quarantine: Quarantine) -> Message:
    """Somebody was faster: who, when, what; the card shows the same."""
    who = quarantine.decided_by
    by: list[Block] = [words(" by "), user(who) if is_user_id(who) else words(line(who, 60))]
    at: list[Block] = [words(", "), date(quarantine.decided_at, time=True)] if quarantine.decided_at else []
    said = f"{quarantine.name} was already {DONE.get(quarantine.state, quarantine.state.value)}"
    head = rich_line(
        words("Nothing was changed. ", bold=True),
        words(said),
        *(by if who else []),
        *at,
        words("."),
    )
    return Message(f"Nothing was changed. {said}.", (rich(head), context("Only you see this")))
