"""Pages of long lists."""

from dataclasses import dataclass
from typing import Final

from bot.pages import Page

LAST: Final = 100_000
"""Beyond this nobody turns pages."""


@dataclass(frozen=True, slots=True)
class Pager:
    """Where in a list somebody is."""

    number: int
    size: int
    total: int
    shown: int
    path: str
    """Of this list, with its filters; ends in `?` or `&`."""

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1

    @property
    def last(self) -> int:
        return self.first + self.shown - 1

    @property
    def newer(self) -> str:
        """The page before; empty on the first."""
        return f"{self.path}page={self.number - 1}" if self.number > 1 else ""

    @property
    def older(self) -> str:
        """The page behind; empty on the last."""
        return f"{self.path}page={self.number + 1}" if self.last < self.total else ""


def page_of(number: int, size: int) -> Page:
    """As bot.pages wants it."""
    return Page(size, (number - 1) * size)
