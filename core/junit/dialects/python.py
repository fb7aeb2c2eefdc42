"""pytest (with rerunfailures and xdist), unittest-xml-reporting, nose2, behave and Robot Framework."""

from core.junit.dialects.base import Dialect, Repeats
from core.junit.raw import Evidence, RawCase


def _pytest(seen: Evidence) -> bool:
    return seen.attributes.get("name") == "pytest tests" or seen.suite_attributes.get("name") == "pytest"


def _collection(raw: RawCase) -> str | None:
    if raw.class_name or not any(mark.tag == "error" for mark in raw.marks):
        return None
    return raw.name or "collection"


def _loader(raw: RawCase) -> str | None:
    if "_ErrorHolder" in raw.class_name:
        return raw.name
    if "_FailedTest" in raw.class_name:
        return raw.name
    return None


DIALECTS = (
    Dialect(name="pytest", claims=_pytest, repeats=Repeats.RERUNS, suite_error=_collection),
    Dialect(
        name="nose2",
        claims=lambda seen: seen.suite_attributes.get("name") == "nose2-junit",
        suite_error=_loader,
    ),
)
