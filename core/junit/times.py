"""Durations as tools write them; what cannot be a duration is unknown."""

import math
import re
from collections.abc import Sequence

ABSURD = 366 * 86_400.0
"""No test takes a year; larger numbers are epochs, overflows or jokes."""
_SPACES = re.compile(r"\s+")
_CLOCK = re.compile(r"(\d{1,4}):(\d\d):(\d\d(?:\.\d+)?)")
_ISO = re.compile(r"PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")


def seconds(text: str) -> float | None:
    """Seconds, or None for NaN, infinite, negative, absurd or unreadable values."""
    try:
        value = float(text)
    except ValueError:
        value = _grouped(text)
    if not 0.0 <= value <= ABSURD:
        return None
    return value


def each(texts: Sequence[str]) -> Sequence[float | None]:
    """The same for many at once."""
    try:
        values = list(map(float, texts))
    except ValueError:
        values = [math.nan]
    if values and sum(values) <= math.inf and min(values) >= 0.0 and max(values) <= ABSURD:
        return values
    return [seconds(text) if text else None for text in texts]


def _grouped(text: str) -> float:
    """Surefire writes "1,234.56" in some locales and "0,012" or "1 234,5" in others, .NET "00:01:02.5"."""
    text = _SPACES.sub("", text)
    if clock := _CLOCK.fullmatch(text) or _ISO.fullmatch(text):
        hours, minutes, rest = (float(part or 0) for part in clock.groups())
        return 3600 * hours + 60 * minutes + rest
    text, unit = (text[:-2], 0.001) if text.endswith("ms") else (text.removesuffix("s"), 1.0)
    thousands = "," if text.rfind(",") < text.rfind(".") else "."
    if "." in text and "," in text:
        text = text.replace(thousands, "")
    try:
        return unit * float(text.replace(",", "."))
    except ValueError:
        return math.nan
