"""What the HTTP face counts, in Prometheus' format; one registry per application, so that tests stay apart."""

import time

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
QUIET = frozenset({"/health", "/health/ready", "/metrics"})
"""Asked every few seconds; not worth a log line each."""


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        """All at zero."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "flakeguard_http_requests",
            "Requests answered",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "flakeguard_http_request_seconds",
            "Time from the first byte of a request to the end of its answer",
            ["method", "route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.ingested = Counter(
            "flakeguard_ingestions", "Reports taken in", ["kind", "status"], registry=self.registry
        )
        self.results = Counter(
            "flakeguard_results", "Test results stored", ["outcome"], registry=self.registry
        )
        self.webhooks = Counter(
            "flakeguard_webhook_attempts",
            "Attempts to deliver a webhook: delivered, refused or unreachable",
            ["outcome"],
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "flakeguard_http_in_flight", "Requests being worked on", registry=self.registry
        )
        self.backlog = Gauge("flakeguard_backlog", "Work waiting", ["kind"], registry=self.registry)

        self.backlog_age = Gauge(
            "flakeguard_backlog_oldest_seconds",
            "How long the oldest waiting work waits",
            ["kind"],
            registry=self.registry,
        )

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)


class Observed:
    """Counts and times every request, and writes its one log line."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        """Wrap an application."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        finally:
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route, method = _route(scope), _method(scope)
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(method, route).observe(seconds)
        if route not in QUIET:
            log.info("http.answered", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _route(scope: Scope) -> str:
    """The route's template: a label for every path would let strangers fill the memory."""
    return str(getattr(scope.get("route"), "path", "unmatched"))


def _method(scope: Scope) -> str:
    known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    return scope["method"] if scope["method"] in known else "other"
