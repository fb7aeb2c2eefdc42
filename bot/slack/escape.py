"""The one place where foreign text (test names, messages, reasons, branches) is made harmless for Slack."""

import re
import unicodedata

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset("\u200b\u2060\ufeff\u00ad")
_MARKUP = str.maketrans({"*": "\u2217", "~": "\u223c", "`": "'"})
ELLIPSIS = "…"
NOTHING = "\u2013"
"""An en dash, where there is nothing to show: Slack refuses empty text."""


def _visible(character: str) -> str:
    if character in "\n\t":
        return character
    if character in _BIDI or character in _INVISIBLE:
        return ""
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if category in {"Cs", "Cn", "Co"} else character


def clean(text: str) -> str:
    """Drop what hides or turns text round: control, direction and invisible characters; keep line breaks."""
    return "".join(map(_visible, text.replace("\r\n", "\n")))


def line(text: str, limit: int) -> str:
    """`clean` on one line of at most `limit` characters, never empty."""
    return cut(re.sub(r"\s+", " ", clean(text)).strip(), limit) or NOTHING


def paragraph(text: str, limit: int) -> str:
    """`clean` over several lines, at most `limit` characters, never empty."""
    return cut(clean(text).strip(), limit) or NOTHING


def cut(text: str, limit: int) -> str:
    """The beginning of the text, with an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + ELLIPSIS


def middle(text: str, limit: int) -> str:
    """The beginning and the end of the text: names differ most at their ends."""
    if len(text) <= limit:
        return text
    head = (limit - 1) // 2
    return text[:head] + ELLIPSIS + text[len(text) - (limit - 1 - head) :]


def escape(text: str, limit: int = 200) -> str:
    """Foreign text inside `mrkdwn` or `text`: no mention, link or formatting comes alive.

    The length is cut before escaping, so that an entity is never cut in two.
    """
    plain = line(text, limit).translate(_MARKUP)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """What somebody typed, from the form Slack sends it in (`&lt;` for `<`)."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
