"""Recognise the same failure again: its message without everything that changes from run to run."""

import re
from hashlib import blake2b
from typing import Final

READ_AT_MOST: Final = 4_000
"""Characters of a message that are looked at; the cause stands at the top, the noise below."""
LINES_AT_MOST: Final = 12
FIRST_LINE_AT_MOST: Final = 200

_MASKS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\x1b\[[0-9;]*[A-Za-z]", ""),
        (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", "<uuid>"),
        (r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", "<time>"),
        (r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b", "<time>"),
        (r"\b(?:https?|wss?|tcp|postgres(?:ql)?|redis|amqp)://[^\s'\"<>)\]]+", "<url>"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<address>"),
        (r"\b0x[0-9a-fA-F]+\b", "<hex>"),
        (r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{7,}\b", "<hex>"),
        (r"(?:[A-Za-z]:)?(?:[\\/][\w.@+~-]+){2,}[\\/]?", "<path>"),
        (r"(?<![A-Za-z_0-9])[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?", "<n>"),
        (r"(?<=[A-Za-z_])\d+", "<n>"),
        (r"\s+", " "),
    )
)
_FOREIGN_FRAME: Final = re.compile(
    r"site-packages|dist-packages|node_modules|/usr/lib/|<frozen |internal/|vendor/"
    r"|java\.base/|sun\.reflect|org\.junit\."
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def fingerprint(message: str) -> bytes | None:
    """Eight bytes that stay the same while the cause does; None when the message says nothing."""
    text = "\n".join(_telling_lines(message))
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).digest() if text else None


def first_line(message: str) -> str:
    """The first line that says something, masked and bounded, for people."""
    line = next(iter(_telling_lines(message)), "")
    return line if len(line) <= FIRST_LINE_AT_MOST else line[: FIRST_LINE_AT_MOST - 1] + "…"


def _telling_lines(message: str) -> list[str]:
    lines: list[str] = []
    for raw in message[:READ_AT_MOST].splitlines():
        if _FOREIGN_FRAME.search(raw):
            continue
        if line := _masked(raw):
            lines.append(line)
        if len(lines) == LINES_AT_MOST:
            break
    return lines


def _masked(line: str) -> str:
    for pattern, mask in _MASKS:
        line = pattern.sub(mask, line)
    return _CONTROL.sub("", line).strip()
