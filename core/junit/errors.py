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


def malformed(reason: str, *, name: str, line: int | None) -> ReportError:
    """What is no XML is not guessed at."""
    return ReportError(
        f"the XML is not well-formed ({reason})",
        name=name,
        line=line,
        remedy="The tool that wrote it has to escape this text.",
    )


def second_document(*, name: str, line: int | None) -> ReportError:
    """Neither may be passed over."""
    return ReportError(
        "more elements follow after the end of the report",
        name=name,
        line=line,
        remedy="Send each document by itself.",
    )
