"""Which line of the document an error is on; lines are counted only when there is an error."""

from collections.abc import Callable, Iterable, Sequence

Piece = tuple[int, bytes]
"""Where in the document it begins, and what the parser gets of it."""


class Lines:
    """Knows what the parser was fed, and reads the document once more to count its lines up to a place."""

    def __init__(self, again: Callable[[], Iterable[bytes]]) -> None:
        self.first = 1
        """The line at which the last pieces begin, as the parser counts."""
        self._again = again
        self._pieces: Sequence[Piece] = ()

    def feed(self, pieces: Sequence[Piece]) -> None:
        """These pieces go to the parser next."""
        self.first = self.last
        self._pieces = pieces

    @property
    def last(self) -> int:
        """The line at which the last pieces end, as the parser counts."""
        return self.first + sum(piece.count(b"\n") for _, piece in self._pieces)

    def of(self, fed: int, column: int) -> int | None:
        """The document's line for a line and column of what the parser was fed last; None for what was before that."""
        if fed < self.first:
            return None
        line = self.first
        begin = 0
        for place, piece in self._pieces:
            begin = place
            inside = piece.count(b"\n")
            width = len(piece) - piece.rfind(b"\n") - 1
            if line + inside > fed or (line + inside == fed and column <= width):
                break
            if line + inside == fed:
                column -= width
            line += inside
        return self.at(begin) + max(fed - line, 0)

    def inside(self, offset: int) -> int:
        """The document's line of an offset in what the parser was fed last."""
        for place, piece in self._pieces:
            if offset < len(piece):
                return self.at(place) + piece.count(b"\n", 0, offset)
            offset -= len(piece)
        return self.at(place)

    def at(self, place: int) -> int:
        """The line of an offset in the document."""
        line = 1
        for chunk in self._again():
            line += chunk.count(b"\n", 0, max(place, 0))
            place -= len(chunk)
            if place <= 0:
                break
        return line
