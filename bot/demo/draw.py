"""Draw a Slack message in the terminal: the same blocks a workspace would get, as text in a frame."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

Block = Mapping[str, Any]
SIGNS = {
    ":white_check_mark:": "✅",
    ":no_entry_sign:": "🚫",
    ":hourglass_flowing_sand:": "⏳",
    "U0ALICE": "@alice",
}
_TOKEN = re.compile(
    r"<!date\^\d+\^[^|>]*\|([^>]*)>|<!subteam\^[^|>]*(?:\|([^>]*))?>|<@([A-Z0-9]+)>|<[^|>]+\|([^>]*)>"
)
_BOLD = re.compile(r"\*([^*\n]+)\*")


def message(said: Mapping[str, Any], *, channel: str) -> Panel:
    """A whole message as the channel shows it."""
    parts = [part for block in said.get("blocks", []) for part in _block(block)]
    return Panel(
        Group(*parts),
        title=f"[bold]FlakeGuard[/] APP in {channel}",
        title_align="left",
        width=92,
        padding=(1, 2),
    )


def _block(block: Block) -> Iterator[RenderableType]:
    match block["type"]:
        case "header":
            yield Text(block["text"]["text"] + "\n", style="bold")
        case "section":
            yield from _section(block)
        case "rich_text":
            yield Text("\n".join(_rich(element) for element in block["elements"]) + "\n")
        case "actions":
            yield Columns([_button(element) for element in block["elements"]], padding=(0, 1))
        case "context":
            words = "  ".join(_plain(element["text"]) for element in block["elements"] if "text" in element)
            yield Text(words, style="dim")
        case "divider":
            yield Text("─" * 60, style="dim")


def _section(block: Block) -> Iterator[RenderableType]:
    if "text" in block:
        yield _mrkdwn(block["text"]["text"] + "\n")
    if "fields" in block:
        table = Table.grid(padding=(0, 4))
        cells = [_mrkdwn(field["text"] + "\n") for field in block["fields"]]
        for start in range(0, len(cells), 2):
            table.add_row(*cells[start : start + 2])
        yield table


def _button(element: Block) -> Text:
    if element["type"] == "overflow":
        return Text(" ⋮ ", style="reverse dim")
    style = "bold white on green" if element.get("style") == "primary" else "reverse"
    return Text(f" {element['text']['text']} ", style=style)


def _rich(element: Block) -> str:
    if "elements" in element:
        return "".join(_rich(child) for child in element["elements"])
    return str(element.get("text") or element.get("fallback") or element.get("user_id") or "")


def _mrkdwn(text: str) -> Text:
    drawn, last = Text(), 0
    plain = _plain(text)
    for found in _BOLD.finditer(plain):
        drawn.append(plain[last : found.start()])
        drawn.append(found.group(1), style="bold")
        last = found.end()
    return drawn.append(plain[last:])


def _plain(text: str) -> str:
    text = _TOKEN.sub(lambda found: next((one for one in found.groups() if one), "@approvers"), text)
    for name, sign in SIGNS.items():
        text = text.replace(name, sign)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("`", "")
