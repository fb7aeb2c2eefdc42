"""The REST API, one file a noun."""

from collections.abc import Iterable

from fastapi import APIRouter

from bot.http.routes import (
    approvers,
    audit,
    client,
    ingestion,
    learning,
    policy,
    proposals,
    quarantine,
    runs,
    tenants,
    tests,
    tokens,
    webhooks,
)

ROOMS = (
    client,
    tenants,
    tokens,
    ingestion,
    runs,
    tests,
    quarantine,
    proposals,
    approvers,
    policy,
    learning,
    webhooks,
    audit,
)


def api_routes() -> Iterable[APIRouter]:
    """Every router of the API."""
    return (room.router for room in ROOMS)
