"""The HTTP application: routes inside, and around them, from the outside in, the layers every request passes."""

from collections.abc import Callable, Iterable, Mapping

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from bot.http import health
from bot.http.correlation import Correlation
from bot.http.errors import answer_errors
from bot.http.face import Face
from bot.http.headers import SecurityHeaders
from bot.http.health import DeepCheck
from bot.http.last import LastResort
from bot.http.load import BoundedBodies, BoundedWork
from bot.http.metrics import Metrics, Observed
from bot.http.passage import Passage
from bot.http.rates import LimitedAddresses, Rates
from bot.http.routes import api_routes
from bot.settings import Settings
from bot.version import version
from jobs.desk import Desk

JSON_BYTES = 2**20
"""Largest body of everything that is not an upload."""
WEBHOOK_BYTES = 25 * 2**20
"""GitHub's own limit for a delivery."""


def http_app(
    desk: Desk,
    settings: Settings,
    *,
    routers: Iterable[APIRouter] = (),
    slack: ASGIApp | None = None,
    pages: Callable[[Face], APIRouter] | None = None,
    checks: Mapping[str, DeepCheck] | None = None,
    metrics: Metrics | None = None,
) -> FastAPI:
    """Build the application. `routers`: GitHub's and others'; `slack`: everything below /slack/; `pages`: /web/."""
    metrics = metrics or Metrics()
    rates = Rates(
        token_rate=settings.token_rate,
        address_rate=settings.address_rate,
        redis_url=settings.redis_url,
        now=desk.now,
    )
    face = Face(desk, settings, rates, metrics)
    app = FastAPI(
        title="FlakeGuard",
        version=version(),
        description="Flaky tests found from run history, decided in Slack, obeyed by CI.",
        redirect_slashes=False,
    )
    app.state.face = face
    app.state.checks = dict(checks or {})
    answer_errors(app)
    for router in (health.router, *api_routes(), *routers):
        app.include_router(router)
    if slack is not None:
        app.router.routes.append(Passage("/slack/", slack))
    if pages is not None:
        app.include_router(pages(face))
    _wrap(app, settings, rates, metrics)
    return app


def _wrap(app: FastAPI, settings: Settings, rates: Rates, metrics: Metrics) -> None:
    """The last one added is the outermost."""
    limits = {"/api/v1/ingestion/": settings.max_body_bytes, "/github/": WEBHOOK_BYTES}
    app.add_middleware(BoundedBodies, limits=limits, other=JSON_BYTES, seconds=settings.body_timeout)
    app.add_middleware(BoundedWork, limit=settings.max_in_flight, gauge=metrics.in_flight)
    app.add_middleware(LimitedAddresses, rates=rates)
    app.add_middleware(LastResort)
    app.add_middleware(SecurityHeaders, https=settings.base_url.startswith("https://"))
    app.add_middleware(Observed, metrics=metrics)
    app.add_middleware(Correlation)
