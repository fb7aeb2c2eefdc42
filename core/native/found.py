"""What a native report says, before identities are joined."""

from dataclasses import dataclass, field

from core.identity import normal, stable_file
from core.junit.batch import Batch, Entry
from core.junit.text import bounded, visible
from core.limits import Limits
from core.report import Attempt, Outcome, SuiteError


@dataclass(slots=True)
class Found:
    """Filled by one reader."""

    dialect: str
    batch: Batch = field(default_factory=Batch)
    errors: list[SuiteError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    partial: bool = False

    def add(self, *, suite: str, class_name: str, name: str, file: str, variant: str, entry: Entry) -> None:
        """One test with its attempts."""
        file = stable_file(file)
        written = (suite, class_name, name, file, variant)
        key = (normal(suite), normal(class_name), normal(name), file, normal(variant))
        self.batch.add(key, entry, written=written, output="")

    def failed(self, suite: str, message: str, limits: Limits) -> None:
        """Something other than a test went wrong."""
        self.errors.append(SuiteError(suite, bounded(visible(message), limits.text_chars)))


def attempt(outcome: Outcome, duration: float | None, message: str, limits: Limits) -> Attempt:
    """One attempt with a bounded, readable message."""
    return Attempt(outcome, duration, bounded(visible(message.strip()), limits.text_chars) or None)
