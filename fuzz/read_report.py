"""Coverage-guided fuzzing of everything that reads foreign bytes: a report or our own refusal, nothing else.

`python fuzz/read_report.py -max_total_time=60 .fuzz tests/samples/junit` after `pip install atheris`; findings go to
the first folder, which must exist.
"""

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["core"]):
    from core.errors import FlakeGuardError
    from core.junit import Limits, read_report, stream_report
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


def _refused_or(read: Callable[[], object]) -> object:
    try:
        return read()
    except FlakeGuardError as error:
        return type(error)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
