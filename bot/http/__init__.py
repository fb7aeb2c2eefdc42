"""The HTTP face: REST API, health and metrics; one FastAPI application behind a few plain ASGI layers."""

from bot.http.app import http_app

__all__ = ["http_app"]
