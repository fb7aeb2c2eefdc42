"""One XML document into cases and rows; a cut-off end is repaired, everything else malformed is refused."""

from collections.abc import Callable, Iterable, Iterator

from lxml import etree

from core.junit.cutter import Cutter
from core.junit.encoding import Utf8
from core.junit.ending import Ending
from core.junit.errors import ReportError, malformed, second_document
from core.junit.foreign import XML_PLEASE
from core.junit.lines import Lines
from core.junit.raw import Evidence, Mark, Suite
from core.junit.repair import Repair
from core.junit.replay import Readable
from core.junit.text import bounded
from core.junit.walker import Item, Walker
from core.limits import Limits

_LOOSE = "text after the end of the report was ignored"
_OF_REFERENCES = "Ref: "
"""In all that libxml2 says of entities and character references."""
_TOLERATED = ("Namespace", "xmlns", "xml:id")
"""Complaints about names; a document that is whole is read in spite of them."""
_LONGEST_REASON = 200
"""The parser quotes names, however long."""
_SWALLOWED = "Unescaped '<'"
"""A quotation mark is missing, and the next one ends the value."""


class Document:
    """Iterate for the items; afterwards `evidence`, `orphans`, `partial` and `warnings` say the rest."""

    def __init__(self, source: Readable, *, again: Callable[[], Readable], name: str, limits: Limits) -> None:
        """`again` gives the source from its beginning: for the line of an error."""
        self.partial = False
        self.warnings: tuple[str, ...] = ()
        self._name = name
        self._utf8 = Utf8(source)
        self._lines = Lines(lambda: Utf8(again()))
        self._cutter = Cutter(self._utf8, name=name, limits=limits, lines=self._lines)
        self._repair = Repair()
        self._walker = Walker(name=name, limits=limits, rows=self._cutter.rows)
        self._ending = Ending()
        self._notes: list[str] = []

    @property
    def evidence(self) -> Evidence:
        """What was seen so far."""
        self._walker.evidence.preamble = self._cutter.preamble
        return self._walker.evidence

    @property
    def orphans(self) -> list[tuple[Suite, Mark]]:
        """Failures and errors outside of cases."""
        return self._walker.orphans

    def __iter__(self) -> Iterator[Item]:
        parser = parser_for(self._walker)
        for piece in self._cutter:
            before = 0
            for portion in self._ending.portions(piece):
                if self._walker.ended:
                    self._behind(portion, before)
                else:
                    self._feed(parser, portion)
                before += len(portion)
            yield from self._taken()
        self._finish(parser)
        yield from self._taken()
        self.warnings = (*self._cutter.warnings, *self._utf8.warnings, *self._repair.warnings, *self._notes)

    def _feed(self, parser: etree.XMLParser, portion: bytes) -> None:
        if not self.evidence.root and portion.startswith(b"</"):
            raise ReportError(
                "its beginning is missing", name=self._name, line=1, remedy="Send the whole file."
            )
        try:
            data = self._repair.mend(portion)
            self._ending.fed(data)
            parser.feed(data)
        except etree.XMLSyntaxError as error:
            raise self._malformed(error) from error

    def _taken(self) -> Iterable[Item]:
        items, self._walker.items = self._walker.items, []
        return items

    def _finish(self, parser: etree.XMLParser) -> None:
        if self._walker.ended:
            return
        if not self.evidence.root:
            raise ReportError(
                "the file is empty",
                name=self._name,
                remedy="Did the test runner stop before it wrote its report?",
            )
        if self.evidence.root == "testcase":
            raise ReportError("the file is cut short", name=self._name, remedy=XML_PLEASE)
        self.partial = True
        count = self.evidence.cases
        cases = "1 complete case was" if count == 1 else f"{count} complete cases were"
        self._notes.append(f"the file is cut short; its {cases} read")
        try:
            parser.close()
        except etree.XMLSyntaxError as error:
            if not self._about_the_cut(error):
                raise self._malformed(error) from error

    def _about_the_cut(self, error: etree.XMLSyntaxError) -> bool:
        """The parser holds some complaints back until the end, as if more could still mend what is wrong."""
        told = error.msg or ""
        if told.startswith(_TOLERATED):
            return True
        line, column = error.position
        if line < self._lines.last or not self._ending.near(column):
            return False
        return self._ending.in_reference if _OF_REFERENCES in told else _SWALLOWED not in told

    def _behind(self, portion: bytes, before: int) -> None:
        """Loose text after the root element, such as a log line, is ignored; another document is not."""
        more = portion.find(b"<")
        if more >= 0:
            raise second_document(name=self._name, line=self._lines.inside(before + more))
        if _LOOSE not in self._notes and portion.strip():
            self._notes.append(_LOOSE)

    def _malformed(self, error: etree.XMLSyntaxError) -> ReportError:
        reason = bounded((error.msg or "a syntax error").split(", line ")[0], _LONGEST_REASON)
        return malformed(reason, name=self._name, line=self._lines.of(*error.position))


def parser_for(target: Walker) -> etree.XMLParser:
    """The parser as it is used here: no network, no DTD, no size limits but our own."""
    return etree.XMLParser(
        target=target,  # type: ignore[arg-type] # the stubs want methods that lxml treats as optional
        encoding="utf-8",
        # False would leave "&#38;" in attributes; without a DOCTYPE no entity can be declared.
        resolve_entities="internal",  # type: ignore[arg-type] # the stubs are older than this value
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=True,
    )
