"""Which repository, which test: found from words, or asked with a menu."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.slack import reads
from bot.slack.blocks import notice
from bot.slack.blocks.pieces import Message
from bot.slack.tenancy import likely_project, projects_of
from bot.slack.visit import Visitor
from core.command import Verb, nearest, split_repo
from core.errors import NotFoundError
from core.saying import TestView
from core.tenancy import Project
from storage.database import Tx


@dataclass(frozen=True, slots=True)
class Found:
    """The test meant, in its project."""

    project: Project
    test: TestView


def which_project(tx: Tx, visitor: Visitor, word: str, verb: Verb, *, rest: str = "") -> Project | Message:
    """The project of this name, or the one likely meant; a menu when it is not clear."""
    projects = projects_of(tx, visitor)
    if not projects:
        raise NotFoundError("No repository is known here yet. Send a first report; the Home tab shows how.")
    if word:
        return _named(projects, word)
    likely = likely_project(tx, visitor)
    return likely or notice.choose_repo([(one.id, one.repo) for one in projects], verb.value, rest=rest)


def _named(projects: Sequence[Project], word: str) -> Project:
    found = [one for one in projects if word.lower() in {one.repo.lower(), one.repo.lower().split("/")[-1]}]
    exact = [one for one in found if one.repo.lower() == word.lower()]
    if len(exact or found) == 1:
        return (exact or found)[0]
    guess = nearest(word, [one.repo for one in projects])
    hint = f" Did you mean {guess}?" if guess else ""
    raise NotFoundError(f"There is no repository called {word[:100]} here.{hint}")


def tests_meant(tx: Tx, visitor: Visitor, words: Sequence[str]) -> list[tuple[Project, TestView]]:
    """Every test these words may mean, in the repository they name if they name one; at least one."""
    projects = projects_of(tx, visitor)
    left, repo = split_repo(words, [one.repo for one in projects])
    if left and repo:
        projects = [one for one in projects if one.repo == repo]
    text = " ".join(left) or " ".join(words)
    found = reads.matches(tx, projects, text)
    if not found:
        raise NotFoundError(f"No test here has “{text[:100]}” in its name, class or file.")
    return found


def which_test(
    tx: Tx, visitor: Visitor, words: Sequence[str], verb: Verb, *, rest: str = ""
) -> Found | Message:
    """The one test these words mean; a menu when several do."""
    found = tests_meant(tx, visitor, words)
    if len(found) == 1:
        return Found(*found[0])
    choices = [(project.id, test) for project, test in found]
    return notice.choose_test(choices, len(found), verb.value, rest=rest)
