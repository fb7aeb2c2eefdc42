"""What commands print: people get tables and sentences, programs one JSON document as the last line."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

Json = typer.Option(False, "--json", help="One JSON document as the last line of the output.")
WIDTH = 80
"""Characters shown of one cell."""


def emit(document: Mapping[str, Any]) -> None:
    """The JSON document, on one line."""
    sys.stdout.write(json.dumps(document, default=str, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def say(line: str = "") -> None:
    """One line for people."""
    _write(sys.stdout, line)


def note(line: str) -> None:
    """One line beside the result."""
    _write(sys.stderr, line)


def complain(line: str) -> None:
    """One clear line about what went wrong."""
    _write(sys.stderr, f"flakeguard: {line}")


def complain_json(kind: str, message: str) -> None:
    """The same for programs."""
    emit({"error": {"type": kind, "detail": message}})


def show_table(
    titles: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str, width: int = WIDTH
) -> None:
    """Rows under titles; `empty` when there are none."""
    lines = [[plain(cell, width=width) for cell in row] for row in rows]
    if not lines:
        say(empty)
        return
    widths = [max(len(line[place]) for line in [list(titles), *lines]) for place in range(len(titles))]
    for line in [[title.upper() for title in titles], *lines]:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def show_fields(fields: Mapping[str, object]) -> None:
    """One thing, a line for each of its facts."""
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        if value not in (None, "", [], {}):
            say(f"{name.ljust(width)}  {plain(value, width=2000)}")


def plain(value: object, *, width: int = WIDTH) -> str:
    """Foreign text without characters that act on a terminal."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3g}"
    text = "".join(char if char.isprintable() else " " for char in str(value))
    return text if len(text) <= width else text[: width - 1] + "…"


@contextmanager
def progress(title: str) -> Iterator["Callable[[int, int], None]"]:
    """A bar on a terminal, silence elsewhere; the block calls it with (done, in all)."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _write(stream: Any, line: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(line.encode(encoding, "replace").decode(encoding, "replace") + "\n")
    stream.flush()
