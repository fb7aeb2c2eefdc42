"""CODEOWNERS: whose file is it? Patterns as in .gitignore, the last one that matches wins (GitHub's rules)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import translate

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in its order; the first that exists counts."""
MOST_BYTES = 3_000_000
"""GitHub ignores a larger file."""
_WORD = re.compile(r"(?:\\.|[^\s\\])+")

Part = re.Pattern[str] | None
"""What one folder or file of a path is called; None for any number of folders."""
ANY: Part = re.compile(".*")
DEEP: Part = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: which files, whose. No owners: nobody's, whatever the lines before say."""

    parts: tuple[Part, ...]
    owners: tuple[str, ...]

    def covers(self, path: Iterable[str]) -> bool:
        """Walks all ways through the pattern at once, so that no pattern can take for ever."""
        places = self._reached({0})
        for name in path:
            places = self._reached({after for place in places for after in self._step(place, name)})
        return len(self.parts) in places

    def _step(self, place: int, name: str) -> Iterator[int]:
        if place < len(self.parts):
            part = self.parts[place]
            if part is None:
                yield place
            elif part.fullmatch(name):
                yield place + 1

    def _reached(self, places: set[int]) -> set[int]:
        """With those behind a `**` that stands for nothing."""
        for place in sorted(places):
            while place < len(self.parts) and self.parts[place] is None:
                place += 1  # noqa: PLW2901 - walks on from where the loop stands
                places.add(place)
        return places


@dataclass(frozen=True, slots=True)
class CodeOwners:
    """A whole file."""

    rules: tuple[Rule, ...] = ()

    def of(self, path: str) -> tuple[str, ...]:
        """The owners of a file, by its path in the repository."""
        names = [name for name in path.replace("\\", "/").split("/") if name not in {"", "."}]
        found = (rule.owners for rule in reversed(self.rules) if rule.covers(names))
        return next(found, ()) if names else ()


def parse(text: str) -> CodeOwners:
    """Read a CODEOWNERS file; a line GitHub would ignore is ignored."""
    return CodeOwners(tuple(rule for line in text.splitlines() for rule in _rule(line)))


def _rule(line: str) -> Iterator[Rule]:
    words = _WORD.findall(line.strip())
    if not words or words[0].startswith(("#", "!")) or "[" in words[0]:
        return
    owners = []
    for word in words[1:]:
        if word.startswith("#"):
            break
        owners.append(word)
    yield Rule(tuple(_parts(re.sub(r"\\(.)", r"\1", words[0]))), tuple(owners))


def _parts(pattern: str) -> Iterator[Part]:
    """A name means the file, or everything below the folder of that name; `docs/*` means direct children only."""
    names = [name for name in pattern.split("/") if name]
    anchored = "/" in pattern.rstrip("/")
    if not anchored:
        yield DEEP
    for name in names:
        yield DEEP if name == "**" else re.compile(translate(name))
    if pattern.endswith(("/", "/**")):
        yield from (ANY, DEEP)
    elif not (anchored and pattern.endswith("/*")):
        yield DEEP
