"""One XML document, chunk by chunk, into raw cases; a cut-off end is repaired, everything else malformed is refused."""

from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from core.junit.decode import Decoder
from core.junit.errors import ReportError
from core.junit.raw import RawCase
from core.junit.walk import Walker, local
from core.limits import Limits

CHUNK = 1 << 16
CONTAINERS = frozenset({"testcase", "testsuite"})


class Document:
    """Iterate for the raw cases; afterwards `walker`, `partial` and `warnings` say the rest."""

    def __init__(self, source: BinaryIO, *, name: str, limits: Limits) -> None:
        self.walker = Walker(name=name, limits=limits)
        self.partial = False
        self.warnings: list[str] = []
        self._source = source
        self._name = name
        self._limits = limits
        self._decoder = Decoder()

    def __iter__(self) -> Iterator[RawCase]:
        parser = _parser()
        begun = False
        try:
            for text in self._texts():
                if not begun:
                    text = self._beginning(text)  # noqa: PLW2901 - the same text without what precedes the root
                    begun = bool(text)
                if text:
                    parser.feed(text.encode())
                    yield from self._cases(parser)
        except etree.XMLSyntaxError as error:
            yield from self._cases(parser)
            raise self._malformed(error) from error
        if not begun:
            raise ReportError(
                "the file is empty", name=self._name, remedy="Did the test runner crash before it wrote?"
            )
        try:
            parser.close()
        except etree.XMLSyntaxError as error:
            yield from self._cases(parser)
            self._cut_short(error)
        yield from self._cases(parser)
        self.warnings[:0] = self._decoder.warnings

    def _texts(self) -> Iterator[str]:
        while chunk := self._source.read(CHUNK):
            yield self._decoder.feed(chunk)
        yield self._decoder.feed(b"", final=True)

    def _beginning(self, text: str) -> str:
        start = text.find("<")
        if start < 0:
            if text.strip():
                raise ReportError("it is not XML", name=self._name, line=1)
            return ""
        if text[:start].strip():
            self.warnings.append("text before the first tag was ignored")
        text = text[start:]
        if text.startswith("<?xml"):
            return text.partition("?>")[2].lstrip()
        return text

    def _cases(self, parser: etree.XMLPullParser) -> Iterator[RawCase]:
        walker = self.walker
        for event, element in parser.read_events():
            if event == "start":
                self._no_doctype(element)
                walker.opened(element)
                continue
            if local(element.tag) not in CONTAINERS:
                continue
            case = walker.closed(element)
            if case is not None:
                yield case
            element.clear()
            while (before := element.getprevious()) is not None and local(before.tag) in CONTAINERS:
                element.getparent().remove(before)

    def _no_doctype(self, element: etree._Element) -> None:
        if element.getparent() is None and element.getroottree().docinfo.internalDTD is not None:
            raise ReportError(
                "it declares a DOCTYPE, which no test report needs",
                name=self._name,
                line=1,
                remedy="Remove the declaration.",
            )

    def _malformed(self, error: etree.XMLSyntaxError) -> ReportError:
        reason = (error.msg or "not well-formed").split(", line ")[0]
        return ReportError(f"the XML is not well-formed ({reason})", name=self._name, line=error.lineno)

    def _cut_short(self, error: etree.XMLSyntaxError) -> None:
        if self.walker.evidence.root not in {"testsuites", "testsuite"}:
            raise self._malformed(error) from error
        self.partial = True
        cases = self.walker.evidence.cases
        self.warnings.append(
            f"the file ends in the middle (line {error.lineno}); the {cases} complete cases before were read"
        )


def _parser() -> etree.XMLPullParser:
    return etree.XMLPullParser(
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
