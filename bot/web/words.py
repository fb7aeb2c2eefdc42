"""Words of the pages: foreign text made visible, times, shares."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Final

from markupsafe import Markup

from bot.slack.blocks.words import count, full_moment, plain_day
from core import naming
from core.report import TestKey

_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS: Final = {"\n": "\u23ce", "\t": "\u21e5"}
_KEPT: Final = frozenset("\n\t")
ELLIPSIS: Final = "\u2026"
NAME: Final = 160
"""Longest name in a list."""


def shown(text: str) -> str:
    """Foreign text on one line, with everything that hides or turns text round spelled out."""
    return text if text.isascii() and text.isprintable() else "".join(map(_visible, text))


def shown_lines(text: str, limit: int = 8000) -> str:
    """Foreign text over several lines."""
    kept = (one if one in _KEPT else _visible(one) for one in text.replace("\r\n", "\n")[:limit])
    return "".join(kept) + (ELLIPSIS if len(text) > limit else "")


def first_line(text: str) -> str:
    """What a failure says first."""
    return cut(next((line for line in text.splitlines() if line.strip()), text).strip(), 100)


def cut(text: str, limit: int = NAME) -> str:
    """Foreign text on one line of a list: names differ most at their ends, so the middle is left out."""
    if len(text) <= limit:
        return shown(text)
    head = limit // 2
    return shown(text[:head]) + ELLIPSIS + shown(text[-(limit - head) :])


_SEAM: Final = re.compile(r"(?<=[_./:\\[])(?=\w)")


def breakable(text: str) -> Markup:
    """Shown text that may be broken where names have their seams."""
    return Markup("<wbr>").join(_SEAM.split(text))


def short_name(key: TestKey) -> str:
    """How a list calls a test."""
    return cut(naming.short_name(key) or key.class_name or key.suite or "(no name)", 90)


def place_of(key: TestKey) -> str:
    """Where a test lies, for the line below its short name."""
    where = " \u203a ".join(part for part in (key.file or key.suite, _inner(key)) if part)
    return cut(f"{where} ({key.variant})" if key.variant else where)


def _inner(key: TestKey) -> str:
    """The class, unless it only repeats the file."""
    module = key.file.rsplit(".", 1)[0].replace("/", ".")
    return "" if key.class_name in {"", key.file, module} else key.class_name


def address(url: str) -> str:
    """A link's address; empty for whatever is not one of the web."""
    return url if url.startswith(("https://", "http://")) else ""


def moment(at: datetime) -> str:
    """2 Mar 2026, 12:00 UTC."""
    return full_moment(at)


def brief(at: datetime, now: datetime) -> str:
    """2 Mar, 12:00; the year only when it is another one."""
    utc = at.astimezone(UTC)
    year = "" if utc.year == now.astimezone(UTC).year else f" {utc.year}"
    return f"{plain_day(at)}{year}, {utc:%H:%M}"


_STEPS: Final = ((86400 * 365, "year"), (86400 * 30, "month"), (86400, "day"), (3600, "hour"), (60, "minute"))


def relative(at: datetime, now: datetime) -> str:
    """3 hours ago, in 2 days."""
    seconds = int((now - at) / timedelta(seconds=1))
    for size, noun in _STEPS:
        if abs(seconds) >= size:
            words = count(abs(seconds) // size, noun)
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return "just now"


def share(part: float) -> str:
    """0.0424 -> "4.2 %"; never "0 %" for what is only rare."""
    value = part * 100
    if value == 0 or value >= 9.95:  # noqa: PLR2004 - two digits
        return f"{value:.0f} %"
    return f"{value:.1f} %" if value >= 0.05 else "< 0.1 %"  # noqa: PLR2004 - what rounds to 0.1


def span(low: float, high: float) -> str:
    """An interval: "1.2 to 8.0 %"."""
    return f"{share(low).removesuffix(' %')} to {share(high)}"


def _visible(character: str) -> str:
    if character in _MARKS:
        return _MARKS[character]
    if unicodedata.category(character) in _INVISIBLE:
        return f"\u27e8U+{ord(character):04X}\u27e9"
    return character
