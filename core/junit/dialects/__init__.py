"""The dialects of JUnit XML; the first that recognises a document reads it."""

from core.junit.dialects import browsers, compiled, functional, java, javascript, linters, python, scripting
from core.junit.dialects.base import SEPARATOR, Dialect, Repeats, plain_key
from core.junit.raw import Evidence

GENERIC = Dialect(name="junit", claims=lambda _: True)
DIALECTS = (
    *python.DIALECTS,
    *compiled.DIALECTS,
    *javascript.DIALECTS,
    *browsers.DIALECTS,
    *java.DIALECTS,
    *scripting.DIALECTS,
    *functional.DIALECTS,
    *linters.DIALECTS,
    GENERIC,
)


def recognise(seen: Evidence) -> Dialect:
    """The dialect that explains what was seen."""
    return next(dialect for dialect in DIALECTS if dialect.claims(seen))


__all__ = ["DIALECTS", "GENERIC", "SEPARATOR", "Dialect", "Repeats", "plain_key", "recognise"]
