"""A check run as GitHub takes it."""

from datetime import datetime
from typing import Any

from core.github.check import CheckReport


def check_body(report: CheckReport, *, now: datetime) -> dict[str, Any]:
    """The body of POST and PATCH check-runs, without the commit (only POST has it)."""
    body: dict[str, Any] = {
        "name": report.name,
        "external_id": report.external_id,
        "output": _output(report),
        "actions": [
            {"label": one.label, "description": one.description, "identifier": one.identifier}
            for one in report.actions
        ],
    }
    if report.details_url:
        body["details_url"] = report.details_url
    if report.conclusion:
        ended = f"{now:%Y-%m-%dT%H:%M:%SZ}"
        return body | {"status": "completed", "conclusion": report.conclusion, "completed_at": ended}
    return body | {"status": "in_progress"}


def _output(report: CheckReport) -> dict[str, Any]:
    output: dict[str, Any] = {"title": report.title, "summary": report.summary}
    if report.text:
        output["text"] = report.text
    if report.annotations:
        output["annotations"] = [
            {
                "path": one.path,
                "start_line": 1,
                "end_line": 1,
                "annotation_level": one.level,
                "title": one.title,
                "message": one.message,
                **({"raw_details": one.raw_details} if one.raw_details else {}),
            }
            for one in report.annotations
        ]
    return output
