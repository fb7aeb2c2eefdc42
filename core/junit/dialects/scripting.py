"""PHPUnit, RSpec and bats."""

import re

from core.junit.dialects.base import Dialect, Key, Repeats, plain_key
from core.junit.raw import Evidence, RawCase

_BEGIN = re.compile(r"begin \d+ ")


def _rspec(seen: Evidence) -> bool:
    return (
        seen.root == "testsuite"
        and seen.attributes.get("name", "").startswith("rspec")
        and "seed" in seen.properties
    )


def _phpunit(seen: Evidence) -> bool:
    return "assertions" in seen.case_attributes and "class" in seen.case_attributes


def _bats(seen: Evidence) -> bool:
    return seen.suite_attributes.get("name", "").endswith(".bats")


def _without_begin(raw: RawCase) -> Key:
    """bats 1.8 writes "begin 4 NAME" for the later attempts of a test."""  # noqa: D403 - the tool's name
    suite, class_name, name, file, variant = plain_key(raw)
    return suite, class_name, _BEGIN.sub("", name, count=1) if _BEGIN.match(name) else name, file, variant


DIALECTS = (
    Dialect(name="rspec", claims=_rspec),
    Dialect(name="phpunit", claims=_phpunit),
    Dialect(name="bats", claims=_bats, key=_without_begin, repeats=Repeats.RERUNS),
)
