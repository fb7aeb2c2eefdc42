"""Durations as tools write them; what cannot be a duration is unknown."""

import math
import re

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


def _grouped(text: str) -> float:
    """Surefire writes "1,234.56" in some locales and "0,012" in others."""
    text = text.strip().removesuffix("s")
    if _GROUPED.fullmatch(text) and "." in text:
        text = text.replace(",", "")
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan
