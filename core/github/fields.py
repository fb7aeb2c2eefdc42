"""Read fields out of foreign JSON: what is missing or of another type is absent, never an exception."""

from datetime import UTC, datetime
from typing import Any

from core.errors import ProcessingError

MAX_ID = 2**63 - 1
"""Ids are stored in 64 bits."""
_NAME_CHARS = 255


class PayloadError(ProcessingError):
    """GitHub's payload lacks a field that is needed."""


def dig(data: object, *path: str) -> object:
    """The value under nested keys, or None."""
    for key in path:
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data


def text(data: object, *path: str, limit: int = _NAME_CHARS) -> str:
    """A storable string: no NUL, no lone surrogate, at most `limit` characters; empty when absent."""
    value = dig(data, *path)
    return clean(value)[:limit] if isinstance(value, str) else ""


def clean(value: str) -> str:
    """Drop NUL and replace lone surrogates, which no database stores."""
    return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def number(data: object, *path: str) -> int | None:
    """A positive id or count that fits 64 bits."""
    value = dig(data, *path)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= MAX_ID else None


def flag(data: object, *path: str) -> bool:
    """True only for JSON's true."""
    return dig(data, *path) is True


def moment(data: object, *path: str) -> datetime | None:
    """A time in UTC, from ISO 8601 or (as some webhook payloads have it) epoch seconds."""
    value = dig(data, *path)
    try:
        if isinstance(value, str):
            parsed = datetime.fromisoformat(value)
            return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def rows(data: object, *path: str) -> list[dict[str, Any]]:
    """The objects of a list; anything else in it is left out."""
    value = dig(data, *path)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def need_number(data: object, *path: str) -> int:
    """Like `number`, but the field must be there."""
    value = number(data, *path)
    if value is None:
        raise PayloadError(f"GitHub's payload has no {'.'.join(path)}.", field=".".join(path))
    return value


def need_text(data: object, *path: str) -> str:
    """Like `text`, but the field must be there."""
    value = text(data, *path)
    if not value:
        raise PayloadError(f"GitHub's payload has no {'.'.join(path)}.", field=".".join(path))
    return value
