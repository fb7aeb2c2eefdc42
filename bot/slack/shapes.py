"""The exact shape and limits of every piece of Block Kit we use (SLACK_BLOCKS.md), as rules."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.slack.rules import (
    Rule,
    anything,
    every,
    finite,
    items,
    matching,
    one_of,
    record,
    some_of,
    string,
    typed,
    whole,
)

# -- composition objects and elements -----------------------------------------------------------------

boolean = one_of(True, False)
web_address = every(string(3000), matching(r"https?://[^\s<>|\"]+"))
_TYPE = {"type": anything}


def plain(most: int) -> Rule:
    """A plain_text object."""
    return record({"type": one_of("plain_text"), "text": string(most)}, {"emoji": boolean})


def marked(most: int) -> Rule:
    """A plain_text or mrkdwn object; our mrkdwn is always verbatim."""
    mrkdwn = record({"type": one_of("mrkdwn"), "text": string(most), "verbatim": one_of(True)})
    return typed({"plain_text": plain(most), "mrkdwn": mrkdwn})


OPTION = record({"text": plain(75), "value": string(150)}, {"description": plain(75), "url": web_address})
CHOICE = record({"text": marked(75), "value": string(150)}, {"description": marked(75)})
CONFIRM = record(
    {"title": plain(100), "text": marked(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)
_ACTION = {"action_id": string(255)}
_PLACEHOLDER = {"placeholder": plain(150)}
BUTTON = record(
    {**_TYPE, **_ACTION, "text": plain(75), "accessibility_label": string(75)},
    {
        "value": string(2000),
        "url": web_address,
        "style": one_of("primary", "danger"),
        "confirm": CONFIRM,
    },
)
OVERFLOW = record({**_TYPE, **_ACTION, "options": items(1, 5, OPTION)}, {"confirm": CONFIRM})
STATIC_SELECT = record(
    {**_TYPE, **_ACTION, "options": items(1, 100, CHOICE)}, {**_PLACEHOLDER, "initial_option": CHOICE}
)
_FILTER = every(
    record(
        {},
        {
            "include": items(1, 4, one_of("im", "mpim", "private", "public")),
            "exclude_external_shared_channels": boolean,
            "exclude_bot_users": boolean,
        },
    ),
    some_of("include", "exclude_external_shared_channels", "exclude_bot_users"),
)
INPUTS: dict[str, Rule] = {
    "static_select": STATIC_SELECT,
    "radio_buttons": record(
        {**_TYPE, **_ACTION, "options": items(1, 10, CHOICE)}, {"initial_option": CHOICE}
    ),
    "checkboxes": record(
        {**_TYPE, **_ACTION, "options": items(1, 10, CHOICE)}, {"initial_options": items(1, 10, CHOICE)}
    ),
    "plain_text_input": record(
        {**_TYPE, **_ACTION},
        {
            **_PLACEHOLDER,
            "multiline": boolean,
            "min_length": whole(0, 3000),
            "max_length": whole(1, 3000),
            "initial_value": string(3000),
        },
    ),
    "number_input": record(
        {**_TYPE, **_ACTION, "is_decimal_allowed": boolean},
        {
            **_PLACEHOLDER,
            "initial_value": matching(r"-?\d+(\.\d+)?"),
            "min_value": matching(r"-?\d+(\.\d+)?"),
            "max_value": matching(r"-?\d+(\.\d+)?"),
        },
    ),
    "timepicker": record(
        {**_TYPE, **_ACTION},
        {**_PLACEHOLDER, "initial_time": matching(r"([01]\d|2[0-3]):[0-5]\d"), "timezone": string(64)},
    ),
    "users_select": record({**_TYPE, **_ACTION}, {**_PLACEHOLDER, "initial_user": string(30)}),
    "multi_users_select": record(
        {**_TYPE, **_ACTION},
        {**_PLACEHOLDER, "initial_users": items(1, 100, string(30)), "max_selected_items": whole(1, 100)},
    ),
    "conversations_select": record(
        {**_TYPE, **_ACTION},
        {
            **_PLACEHOLDER,
            "initial_conversation": string(30),
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": _FILTER,
        },
    ),
}
INTERACTIVE: dict[str, Rule] = {
    "button": BUTTON,
    "overflow": OVERFLOW,
    **{
        kind: INPUTS[kind] for kind in ("static_select", "users_select", "conversations_select", "timepicker")
    },
}
IMAGE = record({**_TYPE, "image_url": web_address, "alt_text": string(2000)}, {"title": plain(2000)})

# -- rich text ----------------------------------------------------------------------------------------

_STYLE = {"style": record({}, dict.fromkeys(("bold", "italic", "strike", "code"), boolean))}
RICH_INNER: dict[str, Rule] = {
    "text": record({**_TYPE, "text": string(3000)}, _STYLE),
    "link": record({**_TYPE, "url": web_address}, {"text": string(3000), **_STYLE}),
    "user": record({**_TYPE, "user_id": matching(r"[UW][A-Z0-9]+")}),
    "usergroup": record({**_TYPE, "usergroup_id": matching(r"S[A-Z0-9]+")}),
    "channel": record({**_TYPE, "channel_id": matching(r"[CGD][A-Z0-9]+")}),
    "emoji": record({**_TYPE, "name": string(100)}),
    "date": record(
        {**_TYPE, "timestamp": whole(0, 2**40), "format": string(200)},
        {"fallback": string(200), "url": web_address},
    ),
}
_INNER = {"elements": items(1, 1000, typed(RICH_INNER))}
SECTION_PART = record({**_TYPE, **_INNER})
RICH_PARTS: dict[str, Rule] = {
    "rich_text_section": SECTION_PART,
    "rich_text_quote": SECTION_PART,
    "rich_text_preformatted": SECTION_PART,
    "rich_text_list": record(
        {
            **_TYPE,
            "style": one_of("bullet", "ordered"),
            "elements": items(1, 200, typed({"rich_text_section": SECTION_PART})),
        },
        {"indent": whole(0, 8), "offset": whole(0, 1000), "border": whole(0, 1)},
    ),
}
RICH_TEXT = record({**_TYPE, "elements": items(1, 100, typed(RICH_PARTS))}, {"block_id": string(255)})

# -- data ---------------------------------------------------------------------------------------------

CELLS: dict[str, Rule] = {
    "raw_text": record({**_TYPE, "text": string(3000)}),
    "raw_number": record({**_TYPE, "value": finite, "text": string(100)}),
    "rich_text": RICH_TEXT,
}
_COLUMN = record({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})
_ROWS = items(1, 100, items(1, 20, typed(CELLS)))
TABLE = record({**_TYPE, "rows": _ROWS}, {"column_settings": items(1, 20, _COLUMN), "block_id": string(255)})


def equal_rows(value: Any, path: str) -> Iterator[str]:
    """Every row as long as the header."""
    if isinstance(value, Mapping) and len({len(row) for row in value.get("rows", [])}) > 1:
        yield f"{path}.rows: not equally long"


_POINT = record({"label": string(20), "value": finite})
_SERIES = record({"name": string(20), "data": items(1, 20, _POINT)})
_AXES = record({"categories": items(1, 20, string(20))}, {"x_label": string(50), "y_label": string(50)})
_AXIS_CHART = record({**_TYPE, "series": items(1, 6, _SERIES), "axis_config": _AXES})
_PIE = record({**_TYPE, "segments": items(1, 6, _POINT)})


def same_categories(value: Any, path: str) -> Iterator[str]:
    """Categories are unique, series names too, and each series has one value for each category, in order."""
    chart = value.get("chart", {})
    categories = list(chart.get("axis_config", {}).get("categories", []))
    if len(set(categories)) < len(categories):
        yield f"{path}: a category twice"
    names = [series.get("name") for series in chart.get("series", [])]
    if len(set(names)) < len(names):
        yield f"{path}: a series name twice"
    for series in chart.get("series", []):
        if categories and [point.get("label") for point in series.get("data", [])] != categories:
            yield f"{path}: the labels of {series.get('name')!r} are not the categories"


CHART = record(
    {
        **_TYPE,
        "title": string(50),
        "chart": typed({"bar": _AXIS_CHART, "line": _AXIS_CHART, "area": _AXIS_CHART, "pie": _PIE}),
    },
    {"block_id": string(255)},
)

# -- blocks -------------------------------------------------------------------------------------------

_ID = {"block_id": string(255)}
SECTION = every(
    record(
        _TYPE,
        {
            **_ID,
            "text": marked(3000),
            "fields": items(1, 10, marked(2000)),
            "accessory": typed({**INTERACTIVE, "image": IMAGE}),
            "expand": boolean,
        },
    ),
    some_of("text", "fields"),
)
BLOCKS: dict[str, Rule] = {
    "header": record({**_TYPE, "text": plain(150)}, _ID),
    "divider": record(_TYPE, _ID),
    "section": SECTION,
    "context": record(
        {
            **_TYPE,
            "elements": items(
                1, 10, typed({"plain_text": plain(2000), "mrkdwn": marked(2000), "image": IMAGE})
            ),
        },
        _ID,
    ),
    "actions": record({**_TYPE, "elements": items(1, 25, typed(INTERACTIVE))}, _ID),
    "image": IMAGE,
    "input": record(
        {**_TYPE, "label": plain(2000), "element": typed(INPUTS)},
        {**_ID, "hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": RICH_TEXT,
    "table": every(TABLE, equal_rows),
    "data_visualization": every(CHART, same_categories),
    "alert": record(
        {**_TYPE, "text": marked(200)},
        {**_ID, "level": one_of("default", "info", "warning", "error", "success")},
    ),
}
_VIEW = {"private_metadata": string(3000, 0), "callback_id": string(255), "external_id": string(255)}
MODAL = record(
    {"type": one_of("modal"), "title": plain(24), "blocks": anything},
    {**_VIEW, "submit": plain(24), "close": plain(24), "clear_on_close": boolean, "notify_on_close": boolean},
)
HOME = record({"type": one_of("home"), "blocks": anything}, _VIEW)
