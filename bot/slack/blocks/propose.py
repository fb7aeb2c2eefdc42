"""The dialog that proposes a quarantine: which test, why, for how long."""

import json

from bot.slack.blocks.identity import identity
from bot.slack.blocks.pieces import (
    Block,
    View,
    context,
    field_input,
    modal,
    number_input,
    option,
    text_input,
)
from bot.slack.blocks.words import full_id, short_name
from bot.slack.values import project_value, value_of_test
from core.saying import TestView

WHO = "An approver decides. Proposing changes nothing yet."


def propose(
    test: TestView | None,
    *,
    project_id: int = 0,
    repo: str = "",
    repos: tuple[tuple[int, str], ...] = (),
    choices: tuple[tuple[int, TestView], ...] = (),
    days: int = 14,
    reason: str = "",
    fragment: str = "",
) -> View:
    """With a test: its identity and a reason. With several to choose from: a menu. Else its name is typed."""
    which = [identity(test, repo)] if test else _choose(choices) if choices else _ask(repos, fragment)
    return modal(
        "Propose a quarantine",
        [
            *which,
            field_input(
                "text",
                "Why?",
                text_input(value=reason, placeholder="Times out on CI about once a day"),
                hint="Shown on the card.",
            ),
            field_input("days", "For how many days?", number_input(days, 1, 60)),
            context(WHO),
        ],
        close="Cancel",
        submit="Propose",
        callback_id="fg.quarantine.propose",
        private_metadata=json.dumps({"t": test.id, "p": project_id} if test else {}),
    )


def _choose(choices: tuple[tuple[int, TestView], ...]) -> list[Block]:
    options = [
        option(short_name(test), value_of_test(project_id, test.id), description=full_id(test, 75))
        for project_id, test in choices[:100]
    ]
    found = f"{len(choices)} tests match. Which one?"
    return [field_input("pick", found, {"type": "static_select", "options": options})]


def _ask(repos: tuple[tuple[int, str], ...], fragment: str) -> list[Block]:
    name = text_input(value=fragment, placeholder="test_redirect_after_login", limit=500, multiline=False)
    fields = [field_input("test", "Test", name, hint="Its name, or a part that only it has.")]
    if len(repos) > 1:
        options = [option(text, project_value(project_id)) for project_id, text in repos[:100]]
        pick = {"type": "static_select", "options": options}
        return [field_input("repo", "Repository", pick), *fields]
    return fields
