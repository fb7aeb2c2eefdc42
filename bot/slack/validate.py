"""Our own judge of every payload: limits, required fields, surfaces and unique ids, as SLACK_BLOCKS says.

Slack checks some of this online only, and its SDK only a part. Where sources differ the smaller number is
ours. Strict on purpose: a field this file does not know is a problem, so that a typing error shows in a test.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from bot.slack.rules import anything, kind_of, record, string
from bot.slack.shapes import BLOCKS, HOME, MODAL
from core.errors import ValidationError

Surface = Literal["message", "modal", "home"]

MAX_BLOCKS: Mapping[Surface, int] = {"message": 50, "modal": 100, "home": 100}
MAX_TEXT = 4000
MAX_CELL_CHARACTERS = 10_000
MAX_CHARTS = 2
MAX_VIEW_BYTES = 250_000
EVERYWHERE = frozenset(
    {"section", "header", "context", "actions", "divider", "image", "input", "rich_text", "video", "card"}
)
DATA = frozenset({"carousel", "container", "table", "data_table", "data_visualization"})
SURFACES: Mapping[Surface, frozenset[str]] = {
    "message": EVERYWHERE | DATA | {"markdown", "context_actions", "plan", "task_card", "file"},
    "modal": EVERYWHERE | {"alert"},
    "home": EVERYWHERE | DATA,
}


def check(payload: Mapping[str, Any], surface: Surface) -> None:
    """Raise ValidationError naming every problem."""
    if found := problems(payload, surface):
        raise ValidationError(f"Slack would refuse this {surface}: {'; '.join(found[:5])}", problems=found)


def problems(payload: Mapping[str, Any], surface: Surface) -> list[str]:
    """What Slack would refuse, or show wrongly, in a message (`text`, `blocks`) or a view."""
    blocks = payload.get("blocks", [])
    found = [*_frame(payload, surface)]
    if not isinstance(blocks, list | tuple):
        return [*found, "blocks: must be a list"]
    if len(blocks) > MAX_BLOCKS[surface]:
        found.append(f"blocks: {len(blocks)} of at most {MAX_BLOCKS[surface]}")
    for index, block in enumerate(blocks):
        found += _block(block, f"blocks[{index}]", surface)
    return found or [*_whole(list(blocks))]


def _frame(payload: Mapping[str, Any], surface: Surface) -> Iterator[str]:
    match surface:
        case "message":
            yield from record({"text": string(MAX_TEXT)}, {"blocks": anything})(dict(payload), "message")
        case "modal":
            yield from MODAL(dict(payload), "view")
            has_input = any(kind_of(block) == "input" for block in payload.get("blocks", []))
            if has_input and "submit" not in payload:
                yield "view: a dialog with an input needs submit"
        case "home":
            yield from HOME(dict(payload), "view")
    if surface != "message" and len(json.dumps(payload)) > MAX_VIEW_BYTES:
        yield "view: over 250 kB"


def _block(block: Any, path: str, surface: Surface) -> Iterator[str]:
    kind = kind_of(block)
    if kind not in SURFACES[surface]:
        yield f"{path}: {kind or 'this'} is not possible in a {surface}"
        return
    if kind not in BLOCKS:
        yield f"{path}: {kind} is not used by FlakeGuard"
        return
    yield from BLOCKS[kind](block, path)


def _whole(blocks: list[Any]) -> Iterator[str]:
    """What only shows over all blocks: ids used twice, charts and cells added up."""
    ids = Counter(block["block_id"] for block in blocks if "block_id" in block)
    yield from (f"block_id {name} is used {times} times" for name, times in ids.items() if times > 1)
    actions = Counter(
        element["action_id"]
        for block in blocks
        if block["type"] != "input"
        for element in _elements(block)
        if "action_id" in element
    )
    yield from (f"action_id {name} is used {times} times" for name, times in actions.items() if times > 1)
    if sum(block["type"] == "data_visualization" for block in blocks) > MAX_CHARTS:
        yield f"more than {MAX_CHARTS} charts"
    if sum(_characters(block) for block in blocks) > MAX_CELL_CHARACTERS:
        yield f"more than {MAX_CELL_CHARACTERS} characters in all cells"


def _elements(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if block["type"] == "actions":
        yield from block["elements"]
    if "accessory" in block:
        yield block["accessory"]
    for child in block.get("child_blocks", []):
        yield from _elements(child)


def _characters(block: Mapping[str, Any]) -> int:
    if block["type"] not in {"table", "data_table"}:
        return 0
    return sum(len(text) for row in block["rows"] for item in row for text in _texts(item))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
