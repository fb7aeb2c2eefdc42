"""SLACK.md §7 points 11 and 12: everything that can be shown passes the validator, at every size."""

import pytest
from fakes.slack_gallery import homes, messages, modals

from bot.slack.validate import problems

MESSAGES, HOMES, MODALS = messages(), homes(), modals()


@pytest.mark.parametrize("name", MESSAGES)
def test_point_11_every_message_passes_the_validator(name):
    assert problems(MESSAGES[name], "message") == []


@pytest.mark.parametrize("name", HOMES)
def test_point_11_every_home_passes_the_validator(name):
    assert problems(HOMES[name], "home") == []


@pytest.mark.parametrize("name", MODALS)
def test_point_11_every_modal_passes_the_validator(name):
    assert problems(MODALS[name], "modal") == []


@pytest.mark.parametrize("name", MESSAGES)
def test_point_12_every_message_says_its_conclusion_as_text(name):
    text = MESSAGES[name]["text"]

    assert len(text) > 20
    assert not {"*", "`"} & set(text.replace("\u2217", ""))


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_has_at_most_a_dozen_blocks(name):
    assert len(MESSAGES[name]["blocks"]) <= 13


@pytest.mark.parametrize("name", [*MESSAGES, *MODALS])
def test_every_button_speaks_of_what_it_does(name):
    payload = MESSAGES.get(name) or MODALS[name]
    for block in payload["blocks"]:
        labels = [
            item["accessibility_label"] for item in block.get("elements", []) if item["type"] == "button"
        ]
        assert len(set(labels)) == len(labels)
