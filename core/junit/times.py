"""Durations as tools write them; what cannot be a duration is unknown."""

import math
import re
from collections.abc import Sequence

ABSURD = 366 * 86_400.0
"""No test takes a year; larger numbers are epochs, overflows or jokes."""
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")


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
    """Surefire writes "1,234.56" in some locales and "0,012" in others."""
    text = text.strip().removesuffix("s")
    if _GROUPED.fullmatch(text) and "." in text:
        text = text.replace(",", "")
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan
