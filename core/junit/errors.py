"""The one way in which a report is refused: file, line, reason, remedy."""

from core.errors import ValidationError


class ReportError(ValidationError):
    """The report could not be read."""

    def __init__(self, reason: str, *, name: str = "", line: int | None = None, remedy: str = "") -> None:
        """`reason` is a clause without a full stop; `remedy` a sentence for whoever made the file."""
        place = name or "the report"
        if line:
            place = f"{place}, line {line}"
        super().__init__(f"{place}: {reason}." + (f" {remedy}" if remedy else ""), file=name, line=line)
        self.reason = reason
        self.remedy = remedy
        self.line = line
