"""The dialects of JUnit XML; the first that recognises a document reads it."""

from core.junit.dialects import java, javascript, native, python
from core.junit.dialects.base import SEPARATOR, Dialect, Repeats, plain_key
from core.junit.raw import Evidence

GENERIC = Dialect(name="junit", claims=lambda _: True)
DIALECTS = (*python.DIALECTS, *native.DIALECTS, *javascript.DIALECTS, *java.DIALECTS, GENERIC)


def recognise(seen: Evidence) -> Dialect:
    """The dialect that explains what was seen."""
    return next(dialect for dialect in DIALECTS if dialect.claims(seen))


__all__ = ["DIALECTS", "GENERIC", "SEPARATOR", "Dialect", "Repeats", "plain_key", "recognise"]
