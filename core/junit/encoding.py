"""Which encoding a document is in, and its bytes as UTF-8."""

import codecs
import re
from collections.abc import Iterator
from itertools import chain

from core.junit.replay import Readable, chunks

_PART = 1 << 18
_HEAD = 256
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = tuple(
    (sign.encode(encoding), encoding)
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
    for sign in ("<", "{")
)
_DECLARED = re.compile(rb"""[^<]*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z][\w.\-]{0,40})["']""")
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_SINGLE_OR_EAST_ASIAN = re.compile(
    r"(iso|windows|cp|koi8|mac|shift|s?jis|euc|gb|big5|latin|l\d)[\w.\-]*", re.IGNORECASE
)
"""Python's registry also holds codecs that are no character sets (zlib, rot13, idna): those are never looked up."""


class Utf8:
    """Iterate for chunks of UTF-8, whatever the source is in; `warnings` says what was repaired."""

    def __init__(self, source: Readable) -> None:
        self.warnings: list[str] = []
        self._source = source

    def __iter__(self) -> Iterator[bytes]:
        given = chunks(self._source)
        head = b""
        while len(head) < _HEAD and (more := next(given, b"")):
            head = head + more if head else more
        encoding, skipped = self._sniff(head[:_HEAD])
        given = chain(_parts(head, skipped) if skipped else (head,), given)
        return given if encoding == "utf-8" else self._recoded(given, encoding)

    def _recoded(self, given: Iterator[bytes], encoding: str) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        replaced = 0
        for part in (part for chunk in given for part in _parts(chunk)):
            text = decoder.decode(part)
            replaced += text.count("\ufffd")
            yield text.encode("utf-8", "replace")
        rest = decoder.decode(b"", final=True)
        replaced += rest.count("\ufffd")
        yield rest.encode("utf-8", "replace")
        if replaced:
            self.warnings.append(f"{replaced} characters were not valid in {encoding} and were replaced")

    def _sniff(self, head: bytes) -> tuple[str, int]:
        for bom, encoding in _BOMS:
            if head.startswith(bom):
                return encoding, len(bom)
        for start, encoding in _WIDE:
            if head.startswith(start):
                return encoding, 0
        declared = _DECLARED.match(head)
        return (self._known(declared[1].decode("ascii")) if declared else "utf-8"), 0

    def _known(self, name: str) -> str:
        """An 8-bit declaration was readable, so a declared UTF-16 is wrong: a habit of .NET writers."""
        if name.lower() in _UTF8:
            return "utf-8"
        if _SINGLE_OR_EAST_ASIAN.fullmatch(name):
            try:
                return codecs.lookup(name).name
            except LookupError:
                pass
        self.warnings.append(f"the declared encoding {name} is not the file's own; it was read as UTF-8")
        return "utf-8"


def _parts(chunk: bytes, start: int = 0) -> Iterator[bytes]:
    """A whole document may come as one chunk, of which no second copy is made."""
    return (chunk[at : at + _PART] for at in range(start, len(chunk), _PART))
