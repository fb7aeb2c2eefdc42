"""Bounding and cleaning of foreign text."""

import re

_COLOUR = re.compile(r"(?:\x1b|#x1B|\\u001b|\\x1b|\ufffd)\[[0-9;]{0,12}[A-Za-z]|\[(?:0|22|39|3[1-7]|9[0-7])m")
"""Some writers drop the escape character and leave the rest."""
_SIGN_OF_COLOUR = re.compile(r"\[(?:(?:0|22|39)m|(?<=u001b\[)|(?<=x1B\[)|(?<=\ufffd\[))")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CUT = "\n[...]\n"


def bounded(text: str, limit: int) -> str:
    """The text, or its beginning and end when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    half = max((limit - len(_CUT)) // 2, 1)
    return text[:half] + _CUT + text[-half:]


def printable(text: str) -> str:
    """Without terminal colours, which act when they are shown."""
    # One bracket is found fifty times as fast as a pattern, and most text holds none.
    if "[" in text and ("\x1b" in text or _SIGN_OF_COLOUR.search(text)):
        return _COLOUR.sub("", text)
    return text


def visible(text: str) -> str:
    """Without colours and control characters; XML cannot hold the latter, JSON can."""
    return _UNPRINTABLE.sub("", printable(text))


def told(message: str, kind: str, text: str, *, limit: int) -> str | None:
    """One readable text of what `message`, `type` and body of a mark say, each said once."""
    body = text.strip()
    head = message.strip()
    if head and head not in body:
        body = f"{head}\n{body}" if body else head
    if kind and kind not in body:
        body = f"{kind}: {body}" if body else kind
    if "[" in body:
        body = printable(body)
    return (body if len(body) <= limit else bounded(body, limit)) or None
