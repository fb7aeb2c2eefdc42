"""Our own judge of payloads: it refuses what Slack refuses, and agrees with an independent registry of limits."""

import pytest
from fakes.slack_gallery import homes, messages, modals
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slackblocks import _limits as theirs
from slackblocks import _surfaces as surfaces

from bot.slack import validate
from bot.slack.validate import check, problems
from core.errors import ValidationError


def plain(text):
    return {"type": "plain_text", "text": text}


def section(text="x", **more):
    return {"type": "section", "text": plain(text), **more}


def button(action="a", **more):
    return {
        "type": "button",
        "action_id": action,
        "text": plain("Go"),
        "accessibility_label": "Go there",
        **more,
    }


def actions(*elements):
    return {"type": "actions", "elements": list(elements)}


def cells(rows, columns):
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


def chart(**axis):
    points = [{"label": "a", "value": 1}]
    inner = {
        "type": "bar",
        "series": [{"name": "s", "data": points}],
        "axis_config": {"categories": ["a"], **axis},
    }
    return {"type": "data_visualization", "title": "t", "chart": inner}


WRONG = {
    "51 blocks": [section()] * 51,
    "long section": [section("x" * 3001)],
    "empty text": [section("")],
    "long header": [{"type": "header", "text": plain("x" * 151)}],
    "mrkdwn header": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    "mrkdwn not verbatim": [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}],
    "eleven fields": [{"type": "section", "fields": [plain("x")] * 11}],
    "nothing in a section": [{"type": "section"}],
    "26 buttons": [actions(*(button(str(index)) for index in range(26)))],
    "same action twice": [actions(button()), actions(button())],
    "same block id twice": [section(block_id="b"), section(block_id="b")],
    "button without a label": [actions({"type": "button", "action_id": "a", "text": plain("Go")})],
    "bogus style": [actions(button(style="green"))],
    "script url": [actions(button(url="javascript:alert(1)"))],
    "long value": [actions(button(value="x" * 2001))],
    "six overflow options": [
        actions({"type": "overflow", "action_id": "a", "options": [{"text": plain("x"), "value": "v"}] * 6})
    ],
    "101 rows": [cells(101, 2)],
    "21 columns": [cells(2, 21)],
    "empty cell": [{"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]}],
    "ragged table": [{"type": "table", "rows": [*cells(1, 2)["rows"], *cells(1, 3)["rows"]]}],
    "too many characters": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 2600}] * 4]}],
    "three charts": [chart()] * 3,
    "category twice": [chart(categories=["a", "a"])],
    "labels differ": [chart(categories=["b"])],
    "long axis label": [chart(x_label="x" * 51)],
    "alert in a message": [{"type": "alert", "text": plain("x")}],
    "unknown block": [{"type": "bogus"}],
    "unknown field": [section(colour="red")],
    "not an object": ["x"],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_slack_refuses_is_found_before_it_is_sent(name):
    assert problems({"text": "x", "blocks": WRONG[name]}, "message")


def test_nan_is_no_value_of_a_chart():
    wrong = chart()
    wrong["chart"]["series"][0]["data"][0]["value"] = float("nan")

    assert problems({"text": "x", "blocks": [wrong]}, "message")


def test_a_message_needs_text():
    assert problems({"blocks": [section()]}, "message")


def test_a_dialog_with_an_input_needs_submit():
    view = {"type": "modal", "title": plain("x"), "blocks": modals()["deny"]["blocks"]}

    assert "view: a dialog with an input needs submit" in problems(view, "modal")


def test_a_refusal_names_every_problem():
    with pytest.raises(ValidationError, match="bogus"):
        check({"text": "x", "blocks": [{"type": "bogus"}]}, "message")


@pytest.mark.parametrize("surface", ["message", "modal", "home"])
def test_no_block_is_allowed_where_an_independent_table_forbids_it(surface):
    allowed = validate.SURFACES[surface] & set(validate.BLOCKS)

    assert allowed <= surfaces._BLOCK_TYPES_BY_SURFACE[surface]


LIMITS = {
    "HEADER_TEXT_MAX_LENGTH": ("message", lambda size: [{"type": "header", "text": plain("x" * size)}]),
    "TEXT_MAX_LENGTH": ("message", lambda size: [section("x" * size)]),
    "ACTIONS_ELEMENTS_MAX_ITEMS": ("message", lambda size: [actions(*(button(str(n)) for n in range(size)))]),
    "BUTTON_TEXT_MAX_LENGTH": ("message", lambda size: [actions(button(text=plain("x" * size)))]),
    "BUTTON_VALUE_MAX_LENGTH": ("message", lambda size: [actions(button(value="x" * size))]),
    "BUTTON_ACCESSIBILITY_LABEL_MAX_LENGTH": (
        "message",
        lambda size: [actions(button(accessibility_label="x" * size))],
    ),
    "CONTEXT_ELEMENTS_MAX_ITEMS": (
        "message",
        lambda size: [{"type": "context", "elements": [plain("x")] * size}],
    ),
    "TABLE_ROWS_MAX_ITEMS": ("message", lambda size: [cells(size, 1)]),
    "TABLE_COLUMNS_MAX_ITEMS": ("message", lambda size: [cells(1, size)]),
    "ALERT_TEXT_MAX_LENGTH": ("modal", lambda size: [{"type": "alert", "text": plain("x" * size)}]),
}


@pytest.mark.parametrize("name", [name for name in LIMITS if hasattr(theirs, name)])
def test_our_limits_are_those_of_an_independent_registry(name):
    surface, build = LIMITS[name]
    size = getattr(theirs, name)
    frame = {"text": "x"} if surface == "message" else {"type": "modal", "title": plain("x")}

    assert problems({**frame, "blocks": build(size)}, surface) == []
    assert problems({**frame, "blocks": build(size + 1)}, surface)


@pytest.mark.parametrize("payload", [*messages().values(), *homes().values(), *modals().values()])
def test_the_sdks_own_classes_accept_every_block_they_know(payload):
    known = [parsed for block in payload["blocks"] if (parsed := Block.parse(block)) is not None]

    assert known
    assert [why for block in known if (why := fault_of(block))] == []


def fault_of(block):
    try:
        block.validate_json()
    except SlackObjectFormationError as error:
        return f"{block.type}: {error}"
