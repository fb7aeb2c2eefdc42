"""Small rules for JSON: each names what is wrong with a value at a path, and rules compose."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Rule = Callable[[Any, str], Iterator[str]]


def anything(_value: Any, _path: str) -> Iterator[str]:
    """Checked elsewhere."""
    yield from ()


def string(most: int, least: int = 1) -> Rule:
    """A text of so many characters."""

    def rule(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{path}: must be text"
        elif not least <= len(value) <= most:
            yield f"{path}: {len(value)} characters, {least} to {most} are possible"

    return rule


def matching(pattern: str) -> Rule:
    """A text of this form."""

    def rule(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            yield f"{path}: {value!r} has not the form {pattern}"

    return rule


def one_of(*values: object) -> Rule:
    """One of these constants."""

    def rule(value: Any, path: str) -> Iterator[str]:
        if not any(value is known or (value == known and type(value) is type(known)) for known in values):
            yield f"{path}: {value!r} is none of {', '.join(map(repr, values))}"

    return rule


def whole(least: int, most: int) -> Rule:
    """A whole number in a range."""

    def rule(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            yield f"{path}: must be a whole number from {least} to {most}"

    return rule


def finite(value: Any, path: str) -> Iterator[str]:
    """A number that can be drawn."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        yield f"{path}: must be a finite number"


def items(least: int, most: int, rule: Rule) -> Rule:
    """A list of so many, each by this rule."""

    def check_all(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, list | tuple):
            yield f"{path}: must be a list"
            return
        if not least <= len(value) <= most:
            yield f"{path}: {len(value)} entries, {least} to {most} are possible"
        for index, item in enumerate(value):
            yield from rule(item, f"{path}[{index}]")

    return check_all


def record(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Rule:
    """An object with these fields and no others."""
    known = {**required, **(optional or {})}

    def rule(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"{path}: must be an object"
            return
        yield from (f"{path}.{name}: is missing" for name in required if name not in value)
        yield from (f"{path}.{name}: is not known" for name in value if name not in known)
        for name, field_rule in known.items():
            if name in value:
                yield from field_rule(value[name], f"{path}.{name}")

    return rule


def typed(table: Mapping[str, Rule]) -> Rule:
    """An object whose `type` says which rule holds."""

    def rule(value: Any, path: str) -> Iterator[str]:
        kind = kind_of(value)
        if kind in table:
            yield from table[kind](value, path)
        else:
            yield f"{path}: {kind or value!r} is not possible here"

    return rule


def every(*rules: Rule) -> Rule:
    """All of these rules."""

    def rule(value: Any, path: str) -> Iterator[str]:
        for one in rules:
            yield from one(value, path)

    return rule


def some_of(*names: str) -> Rule:
    """At least one of these fields."""

    def rule(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, Mapping) and not any(name in value for name in names):
            yield f"{path}: needs one of {', '.join(names)}"

    return rule


def kind_of(block: Any) -> str:
    """The `type` of an object, empty for anything else."""
    return str(block.get("type")) if isinstance(block, Mapping) else ""
