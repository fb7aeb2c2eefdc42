"""The smallest pieces of Block Kit we use; every message, tab and dialog is made of these."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bot.slack.blocks.words import MAX_LABEL, full_day, full_moment
from bot.slack.escape import NOTHING, cut, line, paragraph

Block = dict[str, Any]
View = dict[str, Any]
Level = Literal["default", "info", "warning", "error", "success"]
MAX_PREFORMATTED = 2900
MAX_OPTION = 75


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted: `text` says the whole conclusion (notification, screen reader), `blocks` show it."""

    text: str
    blocks: tuple[Block, ...] = field(default=())


def plain(text: str, limit: int = 3000) -> Block:
    """Literal text: nothing in it comes alive, not even `:smile:`."""
    return {"type": "plain_text", "text": cut(text, limit), "emoji": False}


def mrkdwn(text: str) -> Block:
    """Our own words and numbers; foreign text never goes here without `escape`."""
    return {"type": "mrkdwn", "text": cut(text, 3000), "verbatim": True}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(line(text, 150), 150)}


def section(text: str, accessory: Block | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(text)}
    return {**block, "accessory": accessory} if accessory else block


def foreign_section(text: str, accessory: Block | None = None) -> Block:
    """A section whose text holds foreign words: plain, so that they stay words."""
    block: Block = {"type": "section", "text": plain(paragraph(text, 500))}
    return {**block, "accessory": accessory} if accessory else block


def fields(*pairs: tuple[str, str]) -> Block:
    """Label over value, two in a row; values are our own numbers and words."""
    return {"type": "section", "fields": [mrkdwn(f"*{name}*\n{value}") for name, value in pairs]}


def context(*parts: str) -> Block:
    """The small print: parts joined by a middle dot."""
    return {"type": "context", "elements": [mrkdwn(" · ".join(part for part in parts if part))]}


def divider() -> Block:
    return {"type": "divider"}


def actions(*elements: Block | None) -> Block:
    return {"type": "actions", "elements": [element for element in elements if element]}


def confirm(title: str, text: str, yes: str, no: str) -> Block:
    return {
        "title": plain(title, 100),
        "text": plain(text, 300),
        "confirm": plain(yes, 30),
        "deny": plain(no, 30),
    }


def button(
    action: str,
    text: str,
    *,
    says: str,
    value: str = "",
    url: str = "",
    style: Literal["", "primary", "danger"] = "",
    confirm: Block | None = None,
) -> Block:
    """A button; `says` is what a screen reader says: verb and test."""
    block: Block = {
        "type": "button",
        "action_id": action,
        "text": plain(text, 75),
        "accessibility_label": cut(says, MAX_LABEL),
    }
    extras = {"value": value, "url": url, "style": style, "confirm": confirm}
    return {**block, **{name: extra for name, extra in extras.items() if extra}}


def link_button(action: str, text: str, *, says: str, url: str) -> Block | None:
    """A button that opens a page; nothing when there is no address for it."""
    return button(action, text, says=says, url=url) if web(url) else None


def web(url: str) -> bool:
    """Only http(s) addresses that fit become links."""
    return url.startswith(("http://", "https://")) and len(url) <= 3000 and not set(url) & set(' <>|"\n')  # noqa: PLR2004 - Slack's limit


def option(text: str, value: str, *, description: str = "", url: str = "") -> Block:
    block: Block = {"text": plain(line(text, MAX_OPTION), MAX_OPTION), "value": value}
    if description:
        block["description"] = plain(line(description, MAX_OPTION), MAX_OPTION)
    return {**block, "url": url} if url else block


def overflow(action: str, *options: Block | None) -> Block:
    return {"type": "overflow", "action_id": action, "options": [item for item in options if item]}


def select(action: str, placeholder: str, options: Sequence[Block]) -> Block:
    return {
        "type": "static_select",
        "action_id": action,
        "placeholder": plain(placeholder, 150),
        "options": list(options[:100]),
    }


# -- rich text: where foreign text goes -----------------------------------------------------------


def words(text: str, *, bold: bool = False, code: bool = False) -> Block:
    """Literal text inside rich text."""
    style = {name: True for name, on in (("bold", bold), ("code", code)) if on}
    element: Block = {"type": "text", "text": text}
    return {**element, "style": style} if style else element


def code(text: str) -> Block:
    return words(line(text, 1000), code=True)


def link(text: str, url: str) -> Block:
    """A link when the address is good, else just its words."""
    shown = line(text, 200)
    return {"type": "link", "url": url, "text": shown} if web(url) else words(shown)


def date(at: datetime, *, time: bool = False) -> Block:
    return {
        "type": "date",
        "timestamp": int(at.timestamp()),
        "format": "{date_short_pretty} at {time}" if time else "{date_short_pretty}",
        "fallback": full_moment(at) if time else full_day(at),
    }


def user(user_id: str) -> Block:
    """Notifies; only for ids we hold ourselves."""
    return {"type": "user", "user_id": user_id}


def rich_line(*elements: Block) -> Block:
    return {"type": "rich_text_section", "elements": list(elements)}


def bullets(lines: Iterable[Sequence[Block]], style: str = "bullet") -> Block:
    return {"type": "rich_text_list", "style": style, "elements": [rich_line(*parts) for parts in lines]}


def quote(text: str) -> Block:
    """Somebody's own words."""
    return {"type": "rich_text_quote", "elements": [words(paragraph(text, 1000))]}


def preformatted(text: str, limit: int = MAX_PREFORMATTED) -> Block:
    return {"type": "rich_text_preformatted", "elements": [words(paragraph(text, limit))]}


def rich(*parts: Block) -> Block:
    return {"type": "rich_text", "elements": list(parts)}


# -- data -----------------------------------------------------------------------------------------


def cell(text: str) -> Block:
    return {"type": "raw_text", "text": line(text, 100)}


def link_cell(text: str, url: str) -> Block:
    return rich(rich_line(link(text, url)))


def date_cell(at: datetime | None) -> Block:
    return rich(rich_line(date(at))) if at else cell(NOTHING)


def number_cell(value: float, text: str) -> Block:
    return {"type": "raw_number", "value": value, "text": text}


def table(head: Sequence[str], rows: Iterable[Sequence[Block]], *, right: Iterable[int] = ()) -> Block:
    """A table whose first column wraps and whose numbers (`right`) are aligned."""
    aligned = set(right)
    settings: list[Block] = [{"align": "right"} if index in aligned else {} for index in range(len(head))]
    settings[0] = {"is_wrapped": True}
    return {
        "type": "table",
        "column_settings": settings,
        "rows": [[cell(name) for name in head], *(list(row) for row in rows)],
    }


def chart(
    kind: Literal["bar", "line"],
    title: str,
    series: str,
    points: Sequence[tuple[str, float]],
    *,
    x_label: str = "",
    y_label: str = "",
) -> Block:
    """One series over at most 20 categories; the caller says the finding in words too."""
    shown = points[-20:]
    axis: Block = {"categories": [name for name, _ in shown]}
    axis |= {key: value[:50] for key, value in (("x_label", x_label), ("y_label", y_label)) if value}
    data = [{"label": name, "value": value} for name, value in shown]
    return {
        "type": "data_visualization",
        "title": title[:50],
        "chart": {"type": kind, "series": [{"name": series[:20], "data": data}], "axis_config": axis},
    }


# -- dialogs --------------------------------------------------------------------------------------

MAX_TITLE = 24


def modal(title: str, blocks: Sequence[Block], *, close: str = "Close", **extras: Any) -> View:
    """A dialog; `extras` are submit (text), callback_id, private_metadata, external_id."""
    submit = extras.pop("submit", "")
    view: View = {
        "type": "modal",
        "title": plain(title, MAX_TITLE),
        "close": plain(close, MAX_TITLE),
        "blocks": list(blocks),
        **{name: value for name, value in extras.items() if value},
    }
    return {**view, "submit": plain(submit, MAX_TITLE)} if submit else view


def alert(level: Level, text: str) -> Block:
    """The dialog's own verdict line; it exists in dialogs only."""
    return {"type": "alert", "level": level, "text": plain(cut(text, 200), 200)}


def field_input(
    block_id: str, label: str, element: Block, *, hint: str = "", optional: bool = False
) -> Block:
    """A labelled input; its value is read back from state.values[block_id]["v"]."""
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, 2000),
        "element": {**element, "action_id": "v"},
    }
    if hint:
        block["hint"] = plain(hint, 2000)
    return {**block, "optional": True} if optional else block


def number_input(value: int, low: int, high: int) -> Block:
    return {
        "type": "number_input",
        "is_decimal_allowed": False,
        "initial_value": str(value),
        "min_value": str(low),
        "max_value": str(high),
    }


def text_input(*, value: str = "", placeholder: str = "", limit: int = 500, multiline: bool = True) -> Block:
    block: Block = {"type": "plain_text_input", "multiline": multiline, "max_length": limit}
    if value:
        block["initial_value"] = paragraph(value, limit)
    return {**block, "placeholder": plain(placeholder, 150)} if placeholder else block


def radio(options: Sequence[Block], initial: str = "") -> Block:
    block: Block = {"type": "radio_buttons", "options": list(options)}
    chosen = next((item for item in options if item["value"] == initial), None)
    return {**block, "initial_option": chosen} if chosen else block
