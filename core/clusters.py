"""Tests with one cause fail together, with the same message, again and again: they are asked about on one card."""

from collections.abc import Iterable, Sequence

from core.detection_state import ProjectState

TOGETHER = 2
"""Once is chance; so many runs in which they failed alike are one cause ..."""
MOSTLY = 0.5
"""... when at least this share of the failures of each of them was in common."""

Saying = tuple[int, int]
"""A message and the workflow run it was seen in."""


def one_card_each(state: ProjectState, tests: Iterable[int]) -> list[tuple[int, ...]]:
    """Group tests to be proposed; the first of each group leads."""
    cards: list[list[int]] = []
    said = {test: _sayings(state, test) for test in sorted(set(tests))}
    for test, mine in said.items():
        card = next((card for card in cards if _one_cause(mine, said[card[0]])), None)
        if card is None:
            cards.append([test])
        else:
            card.append(test)
    return [tuple(card) for card in cards]


def _sayings(state: ProjectState, test: int) -> frozenset[Saying]:
    suspect = state.suspects.get(test)
    failures = suspect.live.failures if suspect else ()
    return frozenset((f.facts.fingerprint, f.facts.group) for f in failures if f.facts.fingerprint)


def _one_cause(mine: frozenset[Saying], theirs: frozenset[Saying]) -> bool:
    common = len(mine & theirs)
    return common >= TOGETHER and common >= MOSTLY * max(len(mine), len(theirs))


def fellows(state: ProjectState, test: int, *, since: int) -> Sequence[int]:
    """Other tests that failed with a message of this one within the time, whenever that was."""
    marks = {mark for mark, _ in _sayings(state, test)}
    found = {other for mark in marks for at, other in state.by_signature.get(mark, ()) if at > since}
    return sorted(found - {test})
