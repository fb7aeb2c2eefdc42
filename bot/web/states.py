"""How states are called and marked: a word and a shape each, so that no colour has to be seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.quarantine import State
from core.verdict import TestState


@dataclass(frozen=True, slots=True)
class Mark:
    """One state as people see it."""

    word: str
    sign: str
    tone: str
    """A class of the style sheet: bad, warn, good, calm."""


STATES: Final[Mapping[str, Mark]] = {
    TestState.BROKEN.value: Mark("Broken", "\u2715", "bad"),
    TestState.FLAKY.value: Mark("Flaky", "\u25c6", "warn"),
    TestState.SUSPECT.value: Mark("Suspect", "\u25c7", "warn"),
    TestState.RECOVERED.value: Mark("Recovered", "\u25cf", "good"),
    TestState.HEALTHY.value: Mark("Healthy", "\u25cf", "good"),
    TestState.INSUFFICIENT.value: Mark("Too little data", "\u25cb", "calm"),
    TestState.RETIRED.value: Mark("Retired", "\u25cb", "calm"),
}

STORIES: Final[Mapping[str, Mark]] = {
    State.PROPOSED.value: Mark("Waiting for a decision", "\u25d4", "warn"),
    State.ACTIVE.value: Mark("In quarantine", "\u25a0", "info"),
    State.EXPIRING.value: Mark("Ends soon", "\u25a3", "info"),
    State.RELEASED.value: Mark("Released", "\u25a1", "good"),
    State.EXPIRED.value: Mark("Ended", "\u25a1", "calm"),
    State.DENIED.value: Mark("Denied", "\u2715", "bad"),
    State.LAPSED.value: Mark("Nobody decided", "\u25cb", "calm"),
    State.WITHDRAWN.value: Mark("Withdrawn", "\u25cb", "calm"),
}
