"""What the OpenAPI document says beyond the code: problems, uploads and query fields."""

from typing import Any

from bot.http.errors import STATUS, TITLES
from bot.run_fields import FIELDS

PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "correlation_id"],
    "properties": {
        "type": {"type": "string", "enum": sorted(STATUS)},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "correlation_id": {"type": "string"},
        "field": {"type": "string"},
    },
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of an operation."""
    every = sorted({*statuses, 408, 413, 500, 503})
    return {
        status: {
            "description": TITLES[status],
            "content": {"application/problem+json": {"schema": PROBLEM}},
        }
        for status in every
    }


READ_PROBLEMS = problems(400, 401, 403, 404, 429, 503)
WRITE_PROBLEMS = problems(400, 401, 403, 404, 409, 415, 429, 503)

QUERY_OF_RUN: list[dict[str, Any]] = [
    {
        "name": field.name,
        "in": "query",
        "required": field.required,
        "description": field.wanted[:1].upper() + field.wanted[1:],
        "schema": {"type": "string"},
        "example": field.example,
    }
    for field in FIELDS
]

_BINARY = {"schema": {"type": "string", "format": "binary"}}
BODY_OF_REPORTS: dict[str, Any] = {
    "required": True,
    "description": "One report (JUnit XML, or the JSON of Jest, Vitest or Playwright), plain or gzip; a zip of "
    "many; or a form with many files. Several reports in one request are one run.",
    "content": {
        "application/xml": _BINARY,
        "application/gzip": _BINARY,
        "application/zip": _BINARY,
        "application/json": _BINARY,
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"reports": {"type": "array", "items": {"type": "string", "format": "binary"}}},
            }
        },
    },
}

_LIST = {
    "type": "object",
    "required": ["items", "total"],
    "properties": {
        "items": {"type": "array", "items": {"type": "object"}},
        "total": {"type": "integer"},
        "limit": {"type": "integer"},
        "offset": {"type": "integer"},
    },
}
LISTED: dict[int | str, dict[str, Any]] = {
    200: {"description": "One page", "content": {"application/json": {"schema": _LIST}}},
    **READ_PROBLEMS,
}
