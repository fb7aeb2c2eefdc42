"""Test reports of every dialect into one shape: `read_report` whole, `stream_report` case by case."""

from core.junit.errors import ReportError
from core.junit.reading import ReportStream, read_report, stream_report
from core.limits import DEFAULT, Limits

__all__ = ["DEFAULT", "Limits", "ReportError", "ReportStream", "read_report", "stream_report"]
