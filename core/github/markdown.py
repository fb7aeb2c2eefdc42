"""Foreign text in GitHub's Markdown: quoted so that it cannot act, cut so that the document stays whole."""

import html
import re
import unicodedata

LIMIT_BYTES = 65_535
"""Most that a check run's summary or text may hold; counted in UTF-8 to be safe."""
_TICKS = re.compile(r"`+")
_MAX_TICKS = 12
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_KEPT = frozenset("\n\t")
_CUT_NOTE = "\n\n_… cut here: GitHub takes no more._"
_RESERVE = 256


def inert(text: str, *, keep: frozenset[str] = frozenset()) -> str:
    """Without control, bidirectional and invisible formatting characters, and without lone surrogates."""
    return "".join(
        char if char in keep or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"} else " "
        for char in text
    )


def plain(text: str, limit: int) -> str:
    """One line of bounded length for places that show no Markdown (titles, annotation titles)."""
    line = " ".join(inert(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def code(text: str, limit: int = 300) -> str:
    """One line in a code span, where mentions, references, links and HTML are dead; safe in a table."""
    line = _short_ticks(plain(text, limit)) or " "
    ticks = "`" * (_longest_ticks(line) + 1)
    return f"{ticks} {line} {ticks}".replace("|", "\\|") if "`" in line else f"`{line}`".replace("|", "\\|")


def html_code(text: str, limit: int = 300) -> str:
    """One line inside `<code>` for HTML parts such as `<summary>`."""
    return f"<code>{html.escape(plain(text, limit))}</code>"


def block(text: str, limit: int = 4000) -> str:
    """Several lines in a fenced block that the text cannot close."""
    body = _short_ticks(inert(text.replace("\r\n", "\n"), keep=_KEPT))
    if len(body) > limit:
        body = f"{body[: limit // 2]}\n…\n{body[-limit // 2 :]}"
    fence = "`" * max(3, _longest_ticks(body) + 1)
    return f"{fence}text\n{body}\n{fence}"


def _longest_ticks(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)


def _short_ticks(text: str) -> str:
    return _TICKS.sub(lambda run: run[0][:_MAX_TICKS], text)


def cut_bytes(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, never half a character."""
    return text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


def fit(document: str, limit: int = LIMIT_BYTES) -> str:
    """At most `limit` bytes; where it is cut, open fences and details are closed and the cut is named."""
    if len(document.encode("utf-8", "replace")) <= limit:
        return document
    kept = cut_bytes(document, limit - _RESERVE)
    lines = kept.rpartition("\n")[0] or kept
    return lines + _closing(lines) + _CUT_NOTE


def _closing(lines: str) -> str:
    fence, details = "", 0
    for line in lines.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) and not mark[2].strip() else fence
        elif mark:
            fence = mark[1]
        else:
            details += line.count("<details>") - line.count("</details>")
    return (f"\n{fence}" if fence else "") + "\n\n</details>" * max(0, details)
