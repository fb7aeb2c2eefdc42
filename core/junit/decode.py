"""Bytes of any encoding into text that an XML parser accepts, repairs counted and told."""

import codecs
import re
from collections.abc import Callable


_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BARE_WIDE = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARATION = re.compile(rb"""\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z][\w.\-]{0,40})["']""")
_KNOWN = re.compile(
    r"utf-?8|us-ascii|ascii|(iso|windows|cp|koi8|mac|shift|s?jis|euc|gb|big5|latin|l\d)[\w.\-]*",
    re.IGNORECASE,
)
"""Python's registry also holds codecs that are no character sets (zlib, rot13, idna): those are never looked up."""

_SURROGATE_PAIR = re.compile(
    r"&#(?:x([dD][89abAB][0-9a-fA-F]{2})|(5[56]\d{3}));&#(?:x([dD][c-fC-F][0-9a-fA-F]{2})|(5[67]\d{3}));"
)
_SUSPECT = re.compile(r"&#|[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_COLOUR = re.compile(r"(?:\x1b|&#(?:27|[xX]0*1[bB]);)\[[0-9;]*[A-Za-z]")
_ILLEGAL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]"
    r"|&#0*(?:[0-8]|1[124-9]|2[0-9]|3[01]);"
    r"|&#x0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]|[fF]{3}[eEfF]|[dD][89a-fA-F][0-9a-fA-F]{2});"
)
_LONGEST_SEQUENCE = 40
REPLACEMENT = "\ufffd"
_REPLACED = re.compile(REPLACEMENT)
_ESCAPED = re.compile("[\udc80-\udcff]")
"""How `surrogateescape` shows an invalid byte."""


class Decoder:
    """Turns chunks of bytes into chunks of legal XML text; `warnings` says what had to be repaired."""

    def __init__(self, name: str = "") -> None:
        """`name` is only for the error message."""
        self._name = name
        self._decode: Callable[[bytes, bool], str] | None = None
        self._head = b""
        self._tail = ""
        self._invalid = 0
        self._illegal = 0
        self._notes: list[str] = []

    @property
    def warnings(self) -> list[str]:
        """What was repaired so far, as sentences."""
        notes = list(self._notes)
        if self._invalid:
            notes.append(f"{self._invalid} bytes were not valid in the report's encoding and were replaced")
        if self._illegal:
            notes.append(f"{self._illegal} control characters, which XML forbids, were replaced")
        return notes

    def feed(self, data: bytes, *, final: bool = False) -> str:
        """The text of the next bytes; a few characters may wait for the next call."""
        if self._decode is None:
            self._head += data
            if len(self._head) < 256 and not final:  # noqa: PLR2004 - a declaration fits in this
                return ""
            data, self._head = self._begin(self._head), b""
        assert self._decode is not None
        return self._legal(self._decode(data, final), final=final)

    def _begin(self, head: bytes) -> bytes:
        encoding, head = self._sniff(head)
        escaping = encoding == "utf-8"
        decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape" if escaping else "replace")
        marks = _ESCAPED if escaping else _REPLACED
        self._decode = lambda data, final: self._counted(decoder.decode(data, final), marks)
        return head

    def _counted(self, text: str, marks: re.Pattern[str]) -> str:
        if not text.isascii() and marks.search(text):
            text, count = marks.subn(REPLACEMENT, text)
            self._invalid += count
        return text

    def _sniff(self, head: bytes) -> tuple[str, bytes]:
        for bom, encoding in _BOMS:
            if head.startswith(bom):
                return encoding, head[len(bom) :]
        for start, encoding in _BARE_WIDE:
            if head.startswith(start):
                return encoding, head
        declared = _DECLARATION.match(head)
        return (self._declared(declared[1].decode("ascii")) if declared else "utf-8"), head

    def _declared(self, name: str) -> str:
        """An 8-bit declaration was readable, so a declared UTF-16 or UTF-32 is wrong (a habit of .NET writers)."""
        if name.lower() in {"utf-8", "utf8", "us-ascii", "ascii"}:
            return "utf-8"
        if _KNOWN.fullmatch(name):
            try:
                return codecs.lookup(name).name
            except LookupError:
                pass
        self._notes.append(f"the declared encoding {name} is not the file's; it was read as UTF-8")
        return "utf-8"

    def _legal(self, text: str, *, final: bool) -> str:
        text = self._tail + text
        self._tail = ""
        if not final:
            text = self._hold_back(text)
        if not _SUSPECT.search(text):
            return text
        text = _SURROGATE_PAIR.sub(_joined, text)
        text = _COLOUR.sub("", text)
        text, count = _ILLEGAL.subn(REPLACEMENT, text)
        self._illegal += count
        return text

    def _hold_back(self, text: str) -> str:
        """Keep an unfinished reference or colour sequence for the next chunk, so that no chunking changes a repair."""
        start = len(text) - _LONGEST_SEQUENCE
        cut = min(
            (at for at in (text.find("&", max(start, 0)), text.find("\x1b", max(start, 0))) if at >= 0),
            default=-1,
        )
        if cut < 0:
            return text
        self._tail = text[cut:]
        return text[:cut]


def _joined(pair: re.Match[str]) -> str:
    """Java tools write a character beyond the BMP as two references."""
    high = int(pair[1], 16) if pair[1] else int(pair[2])
    low = int(pair[3], 16) if pair[3] else int(pair[4])
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):  # noqa: PLR2004 - the surrogate ranges
        return REPLACEMENT
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
