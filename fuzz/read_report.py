"""Coverage-guided fuzzing of everything that reads foreign bytes: a report or our own refusal, nothing else.

What is read must not depend on how: whole or streamed, with the cutter in front of the parser or without it.

`python fuzz/read_report.py -max_total_time=60 .fuzz tests/samples/junit` after `pip install atheris`; findings go to
the first folder, which must exist.
"""

import sys
from collections import deque
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import atheris
from lxml import etree

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["core"]):
    from core.errors import FlakeGuardError
    from core.junit import Limits, read_report, stream_report
    from core.junit.assembly import whole as joined
    from core.junit.blocks import naming_of
    from core.junit.dialects import recognise
    from core.junit.document import parser_for
    from core.junit.encoding import Utf8
    from core.junit.reading import of_one_run
    from core.junit.repair import Repair
    from core.junit.replay import InMemory
    from core.junit.walker import Walker
    from core.unpack import unpack

SMALL = Limits(decoded_bytes=1 << 22, cases=10_000, text_chars=200, output_chars=50)


def one(data: bytes) -> None:
    """Whole and streamed reading agree on what they accept and what they find."""
    try:
        documents = [(name, stream.read()) for name, stream in unpack(data, name="up", limits=SMALL)]
    except FlakeGuardError:
        return
    for name, document in documents:
        whole = _refused_or(
            lambda document=document, name=name: read_report(document, name=name, limits=SMALL).cases
        )
        streamed = _refused_or(
            lambda document=document, name=name: tuple(
                stream_report(BytesIO(document), name=name, limits=SMALL)
            )
        )
        if whole != streamed:
            message = f"read_report and stream_report differ: {whole!r} {streamed!r}"
            raise AssertionError(message)

        if not isinstance(whole, type) and (plain := _plain(document)) is not None and plain != tuple(whole):
            message = f"with and without the cutter differ: {tuple(whole)!r} {plain!r}"
            raise AssertionError(message)


class _Plain(Walker):
    """Without a cutter in front, instructions and comments are the document's own."""

    def pi(self, target, data=None):
        pass

    def comment(self, text):
        if not self.evidence.root:
            self.evidence.preamble += text[:500]


def _plain(document: bytes) -> object:
    """What the parser alone reads; None when it refuses, for it judges also what the cutter throws away."""
    walker = _Plain(name="", limits=SMALL, rows=deque())
    parser = parser_for(walker)
    try:
        parser.feed(Repair().mend(b"".join(Utf8(InMemory(document)))))
        parser.close()
        dialect = of_one_run(recognise(walker.evidence), walker.evidence)
        naming = naming_of(dialect, variant="", limits=SMALL)
        return tuple(joined(list(naming.batches(walker.items)), dialect.repeats, lambda _: None))
    except (FlakeGuardError, etree.XMLSyntaxError):
        return None


def _refused_or(read: Callable[[], object]) -> object:
    try:
        return read()
    except FlakeGuardError as error:
        return type(error)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
