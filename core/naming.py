"""How a test is called when people read about it: one full name and one short one."""

from core.report import TestKey


def full_name(key: TestKey) -> str:
    """File (or class path), class and name in one line, the variant in parentheses behind it."""
    where = _where(key)
    name = f"{where}::{key.name}" if where else key.name
    return f"{name} ({key.variant})" if key.variant else name


def short_name(key: TestKey) -> str:
    """The last segment without parameters."""
    name = key.name.rsplit("::", 1)[-1].rsplit(" › ", 1)[-1]
    return name.split("[", 1)[0].strip() or name


def _where(key: TestKey) -> str:
    if not key.file:
        return key.class_name or ("" if key.suite == key.name else key.suite)
    module = key.file.rsplit(".", 1)[0].replace("/", ".")
    inner = key.class_name.removeprefix(module).lstrip(".")
    return f"{key.file}::{inner.replace('.', '::')}" if inner and inner != key.file else key.file
