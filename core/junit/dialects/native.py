"""Go (gotestsum) and Rust (nextest)."""

from core.junit.dialects.base import Dialect, Repeats
from core.junit.raw import Evidence


def _gotestsum(seen: Evidence) -> bool:
    return "go.version" in seen.properties


DIALECTS = (
    Dialect(name="gotestsum", claims=_gotestsum, repeats=Repeats.ATTEMPTS),
    Dialect(name="nextest", claims=lambda seen: seen.attributes.get("name") == "nextest-run"),
)
