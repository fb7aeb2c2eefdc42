"""What a person would repair before parsing: bytes and characters that XML forbids."""

import re

_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_COLOUR = re.compile(rb"(?:\x1b|&#(?:0*27|[xX]0*1[bB]);)\[[0-9;]*[A-Za-z]")
_CONTROLS = re.compile(b"[" + re.escape(_CONTROL) + b"]")
_NONCHARACTER = re.compile(rb"\xef\xbf[\xbe\xbf]")
_REFERENCE = re.compile(
    rb"&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01]|6553[45])|[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]|[fF]{3}[eEfF]));"
)
_PAIR = re.compile(
    rb"&#(?:[xX]0*([dD][89abAB][0-9a-fA-F]{2})|0*(5[56]\d{3}));"
    rb"&#(?:[xX]0*([dD][c-fC-F][0-9a-fA-F]{2})|0*(5[67]\d{3}));"
)
_SURROGATE = re.compile(
    rb"&#(?:[xX]0*[dD][89a-fA-F][0-9a-fA-F]{2}|0*(?:55[3-9]\d\d|5529[6-9]|56\d{3}|57[0-2]\d\d|573[0-3]\d|5734[0-3]));"
)
_BEGIN, _END = b"<![CDATA[", b"]]>"
_BORDER = re.compile(rb"(<!\[CDATA\[|\]\]>)")
_ESCAPED = re.compile("[\udc80-\udcff]")
_REPLACEMENT = "\ufffd".encode()


def uncoloured(data: bytes) -> bytes:
    """Without terminal colours, raw or as references: nothing is lost by leaving them out."""
    # One byte is found ten times as fast as two.
    referred = b"&" in data and b"&#" in data and (b"27;[" in data or b"b;[" in data or b"B;[" in data)
    return _COLOUR.sub(b"", data) if referred or b"\x1b" in data else data


class Repair:
    """Mends pieces of XML that end between tokens; `warnings` says what was mended."""

    def __init__(self) -> None:
        self._invalid = 0
        self._illegal = 0
        self._in_section = False
        """The last piece ended inside of a CDATA section, where nothing is a reference."""

    @property
    def warnings(self) -> list[str]:
        """What was repaired so far, as sentences."""
        told = []
        if self._invalid:
            told.append(f"{self._invalid} bytes were not valid UTF-8 and were replaced")
        if self._illegal:
            told.append(f"{self._illegal} control characters, which XML forbids, were replaced")
        return told

    def mend(self, data: bytes) -> bytes:
        """The same XML with legal characters only."""
        if not data.isascii():
            data = self._text(data)
        if len(data.translate(None, _CONTROL)) != len(data):
            data = self._illegals(_CONTROLS, uncoloured(data))
        if self._in_section or _BEGIN in data:
            return b"".join(map(self._in_turn, _BORDER.split(data)))
        return self._references(data) if b"&#" in data else data

    def _in_turn(self, part: bytes) -> bytes:
        """What stands between the borders of sections, and the borders themselves."""
        if part == _BEGIN:
            self._in_section = True
        elif part == _END:
            self._in_section = False
        elif b"&#" in part:
            return uncoloured(part) if self._in_section else self._references(part)
        return part

    def _text(self, data: bytes) -> bytes:
        try:
            data.decode()
        except UnicodeDecodeError:
            text, count = _ESCAPED.subn("\ufffd", data.decode(errors="surrogateescape"))
            self._invalid += count
            data = text.encode()
        return self._illegals(_NONCHARACTER, data) if b"\xef\xbf" in data else data

    def _references(self, data: bytes) -> bytes:
        data = _PAIR.sub(_joined, uncoloured(data))
        return self._illegals(_SURROGATE, self._illegals(_REFERENCE, data))

    def _illegals(self, pattern: re.Pattern[bytes], data: bytes) -> bytes:
        data, count = pattern.subn(_REPLACEMENT, data)
        self._illegal += count
        return data


def _joined(pair: re.Match[bytes]) -> bytes:
    """Java tools write a character beyond the basic plane as two references."""
    high = int(pair[1], 16) if pair[1] else int(pair[2])
    low = int(pair[3], 16) if pair[3] else int(pair[4])
    if not 0xD800 <= high < 0xDC00 <= low < 0xE000:  # noqa: PLR2004 - the ranges of surrogates
        return pair[0]
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)).encode()
