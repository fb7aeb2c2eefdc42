"""Short answers to one person: done, refused, failed, not understood, several matches."""

from collections.abc import Sequence

from bot.slack.blocks.pieces import (
    Block,
    Message,
    actions,
    button,
    context,
    option,
    rich,
    rich_line,
    section,
    select,
    words,
)
from bot.slack.blocks.words import count, full_id, short_name
from bot.slack.escape import escape, paragraph
from core.command import USAGE, Unclear
from core.saying import TestView

MAX_CHOICES = 100


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


def choose_test(matches: Sequence[TestView], total: int, verb: str) -> Message:
    """Several tests match: pick one, and the verb goes on with it."""
    options = [
        option(short_name(test), f"t-{test.id}", description=full_id(test, 75))
        for test in matches[:MAX_CHOICES]
    ]
    more = f", the first {len(options)} are shown" if total > len(options) else ""
    pick = actions(select(f"fg.choose.{verb}", "Choose a test…", options))
    title = f"{count(total, 'test matches', 'tests match')}{more}"
    return Message(f"{title}. Choose one.", (section(f"*{title}*"), pick, context("Only you see this")))


def choose_repo(repos: Sequence[tuple[int, str]], verb: str) -> Message:
    """Several repositories: pick one, and the verb goes on with it."""
    options = [option(repo, f"p-{project_id}") for project_id, repo in repos[:MAX_CHOICES]]
    pick = actions(select(f"fg.repo.{verb}", "Choose a repository…", options))
    title = f"{count(len(repos), 'repository', 'repositories')} here"
    return Message(
        f"{title}. Which one?", (section(f"*{title}.* Which one?"), pick, context("Only you see this"))
    )


def settled(text: str, handle: str) -> Message:
    """Somebody was faster; the card shows the present state."""
    see = button("fg.proposal.details", "Evidence", says="Show the evidence", value=handle)
    return Message(escape(text, 300), (literal(text), actions(see), context("Only you see this")))
