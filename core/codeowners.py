"""CODEOWNERS: whose file is it? Patterns as in .gitignore, the last one that matches wins (GitHub's rules)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in its order; the first that exists counts."""
MOST_BYTES = 3_000_000
"""GitHub ignores a larger file."""
MOST_STARS = 6
"""A pattern with more could take for ever to match."""
_WORD = re.compile(r"(?:\\.|[^\s\\])+")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: which files, whose. No owners: nobody's, whatever the lines before say."""

    files: re.Pattern[str]
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodeOwners:
    """A whole file."""

    rules: tuple[Rule, ...] = ()

    def of(self, path: str) -> tuple[str, ...]:
        """The owners of a file, by its path in the repository."""
        path = path.replace("\\", "/").removeprefix("./").lstrip("/")
        found = (rule.owners for rule in reversed(self.rules) if rule.files.fullmatch(path))
        return next(found, ()) if path else ()


def parse(text: str) -> CodeOwners:
    """Read a CODEOWNERS file; a line GitHub would ignore is ignored."""
    return CodeOwners(tuple(rule for line in text.splitlines() for rule in _rule(line)))


def _rule(line: str) -> Iterator[Rule]:
    words = _WORD.findall(line.strip())
    if not words or words[0].startswith(("#", "!", "[")):
        return
    pattern, owners = words[0], []
    for word in words[1:]:
        if word.startswith("#"):
            break
        owners.append(word)
    files = _compiled(re.sub(r"\\(.)", r"\1", pattern))
    if files is not None:
        yield Rule(files, tuple(owners))


def _compiled(pattern: str) -> re.Pattern[str] | None:
    """None for what GitHub does not support, or what would be dangerous to match."""
    pattern = re.sub(r"\*{3,}", "**", pattern)
    if "[" in pattern or pattern.count("*") > 2 * MOST_STARS or len(pattern) > MOST_CHARS:
        return None
    folder = pattern.endswith("/")
    body = pattern.strip("/")
    anchored = pattern.startswith("/") or "/" in body
    start = "" if anchored else "(?:.*/)?"
    return re.compile(start + _expression(body) + _end(body, folder=folder, anchored=anchored))


MOST_CHARS = 500


def _expression(body: str) -> str:
    parts = re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", body)
    return "".join(_WILD.get(part, re.escape(part)) for part in parts)


_WILD = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _end(body: str, *, folder: bool, anchored: bool) -> str:
    """A name means the file, or everything below the folder of that name; `docs/*` means direct children only."""
    if folder:
        return "/.*"
    return "" if anchored and body.endswith("/*") else "(?:/.*)?"
