"""How a test is called when people read about it: one full name and one short one."""

from core.report import TestKey

_STEP = " \u203a "
"""What Playwright writes between a test's describe blocks."""


def full_name(key: TestKey) -> str:
    """File (or class path), class and name in one line, the variant in parentheses behind it."""
    where = _where(key)
    name = f"{where}::{key.name}" if where else key.name
    return f"{name} ({key.variant})" if key.variant else name


def short_name(key: TestKey) -> str:
    """The last segment without parameters."""
    name = key.name.rsplit("::", 1)[-1].rsplit(_STEP, 1)[-1]
    return name.split("[", 1)[0].strip() or name


def longer_name(key: TestKey) -> str:
    """The short name behind its class or file, where the short one alone would be mistaken for another test."""
    where = key.class_name.rsplit(".", 1)[-1] or key.file.rsplit("/", 1)[-1] or key.suite
    return f"{where}.{short_name(key)}" if where else short_name(key)


def _where(key: TestKey) -> str:
    if not key.file:
        return key.class_name or ("" if key.suite == key.name else key.suite)
    inner = _inside(key.class_name, key.file)
    return f"{key.file}::{inner.replace('.', '::')}" if inner else key.file


def _inside(class_name: str, file: str) -> str:
    """The class without the part that only repeats the file."""
    module = file.rsplit(".", 1)[0].replace("/", ".")
    if class_name in {file, module, file.replace("/", ".")}:
        return ""
    return class_name.removeprefix(f"{module}.")
