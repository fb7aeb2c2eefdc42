"""What a button or a choice carries: ids, never anything that is trusted."""

import re
from dataclasses import dataclass

from core.errors import ValidationError

_TEST = re.compile(r"t-(\d{1,18})\.(\d{1,18})(?::([\w.-]{0,40}))?", re.ASCII)
_PROJECT = re.compile(r"p-(\d{1,18})(?::([\w.:-]{0,80}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class TestValue:
    """A test of a project, and what is to be done with it (`rest`)."""

    __test__ = False

    project_id: int
    test_id: int
    rest: str = ""


@dataclass(frozen=True, slots=True)
class ProjectValue:
    """A project, and what is asked of it."""

    project_id: int
    rest: str = ""


def value_of_test(project_id: int, test_id: int, rest: str = "") -> str:
    """`t-1.5`, with a rest `t-1.5:7`."""
    return f"t-{project_id}.{test_id}" + (f":{rest}" if rest else "")


def read_test(value: str) -> TestValue:
    """The value of a button about a test."""
    match = _TEST.fullmatch(value)
    if not match:
        raise ValidationError("This button belongs to another version of FlakeGuard.")
    return TestValue(int(match[1]), int(match[2]), match[3] or "")


def project_value(project_id: int, rest: str = "") -> str:
    """`p-1`, with a rest `p-1:pending:2`."""
    return f"p-{project_id}" + (f":{rest}" if rest else "")


def read_project(value: str) -> ProjectValue:
    """The value of a button about a project."""
    match = _PROJECT.fullmatch(value)
    if not match:
        raise ValidationError("This button belongs to another version of FlakeGuard.")
    return ProjectValue(int(match[1]), match[2] or "")
