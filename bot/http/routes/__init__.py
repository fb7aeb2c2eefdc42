"""The REST API, one file a noun."""

from collections.abc import Iterable

from fastapi import APIRouter

from bot.http.face import Face
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
)

API = "/api/v1"
ROOMS = (tenants, tokens, ingestion, runs, tests, quarantine, proposals, approvers, policy, learning, audit)


def api_routes(face: Face) -> Iterable[APIRouter]:
    """Every router of the API."""
    yield client.routes()
    for room in ROOMS:
        router = APIRouter(prefix=API, tags=[room.__name__.rsplit(".", 1)[-1]])
        room.add_routes(router, face)
        yield router
