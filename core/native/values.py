"""Foreign JSON values made into ours: what has another type than expected counts as missing."""

from collections.abc import Iterator, Mapping, Sequence

from core.junit.times import ABSURD

Object = Mapping[str, object]
_NOTHING: Object = {}


def as_object(value: object) -> Object:
    """The mapping, or an empty one."""
    return value if isinstance(value, dict) else _NOTHING


def objects(value: Object, key: str) -> Iterator[Object]:
    """The mappings in a list."""
    found = value.get(key)
    if isinstance(found, list):
        yield from (item for item in found if isinstance(item, dict))


def texts(value: Object, key: str) -> Sequence[str]:
    """The texts in a list; a lone text counts as a list of one."""
    found = value.get(key)
    if isinstance(found, str):
        return (found,)
    return [clean(item) for item in found if isinstance(item, str)] if isinstance(found, list) else ()


def text(value: Object, key: str) -> str:
    """A text, or an empty one."""
    found = value.get(key)
    return clean(found) if isinstance(found, str) else ""


def clean(written: str) -> str:
    """JSON may hold half of a character (a lone surrogate), which no database stores."""
    return written if written.isascii() else written.encode("utf-8", "replace").decode()


def seconds(value: Object, key: str, *, unit: float) -> float | None:
    """A duration in seconds, or None when it is not one; `unit` is what one means in the report."""
    found = value.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return found * unit if 0 <= found <= ABSURD / unit else None
