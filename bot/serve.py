"""Serve: the web server with its sweeps and timetable, and the worker, which is the same without the web."""

import asyncio
import contextlib
import gc
import signal
import socket
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import structlog
import uvicorn
from fastapi import FastAPI

from bot.app import App, build
from bot.log import configure_logs
from bot.settings import Settings, load_settings
from core.errors import ProcessingError

log = structlog.get_logger(__name__)

GRACE = 8
"""Seconds that requests in flight get after SIGTERM."""
BACKLOG = 2048


def wall_clock() -> datetime:
    """The time of day, UTC; handed to everything that needs it."""
    return datetime.now(UTC)  # noqa: TID251 - here the time enters the program


def serve(settings: Settings, *, host: str, port: int, workers: int = 1) -> None:
    """Serve until SIGTERM or Ctrl-C; requests in flight are finished."""
    options = {"host": host, "port": port, "access_log": False, "log_config": None, "backlog": BACKLOG}
    _must_be_free(host, port)
    configure_logs(settings.log_level)
    if workers > 1:
        prepare(settings)
        uvicorn.run(
            "bot.serve:from_environment",
            factory=True,
            workers=workers,
            timeout_graceful_shutdown=GRACE,
            **options,  # type: ignore[arg-type]  # one dict for both ways
        )
        return
    app = build(settings, now=wall_clock)
    app.desk.database.migrate()
    application = _with_life(app)
    config = uvicorn.Config(application, timeout_graceful_shutdown=GRACE, **options)  # type: ignore[arg-type]
    keep_what_is_loaded()
    uvicorn.Server(config).run()


def _must_be_free(host: str, port: int) -> None:
    """Asked before anything starts: a person gets a sentence, and the sweeps of another server are left alone."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (")[0]
        raise ProcessingError(
            f"Cannot listen on {host}, port {port}: {why}; --host and --port choose another place."
        ) from error


def from_environment() -> FastAPI:
    """One of several worker processes builds its own application."""
    settings = load_settings()
    configure_logs(settings.log_level)
    application = _with_life(build(settings, now=wall_clock))
    keep_what_is_loaded()
    return application


def keep_what_is_loaded() -> None:
    """Modules stay for good: looked at in every full collection of garbage, they would stop the server for 0.2 s."""
    gc.collect()
    gc.freeze()


def prepare(settings: Settings) -> None:
    """Bring the schema up to date before the first request."""
    app = build(settings, now=wall_clock)
    app.desk.database.migrate()
    app.desk.database.close()


def work(settings: Settings) -> None:
    """Run sweeps and timetable without the web, on as many nodes as wanted, until SIGTERM or Ctrl-C."""
    configure_logs(settings.log_level)
    app = build(settings, now=wall_clock)
    app.desk.database.migrate()
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    app.start()
    log.info("worker.started")
    over.wait()
    app.stop()


def _with_life(app: App) -> FastAPI:
    """The application, whose sweeps begin and end with it."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        app.start()
        if app.slack is not None:
            app.slack.warm()
        slack = [asyncio.create_task(one(app)) for one in (_socket_mode, _fresh_homes)]
        log.info("server.started", base_url=app.settings.base_url)
        try:
            yield
        finally:
            for task in slack:
                task.cancel()
            await asyncio.gather(*slack, return_exceptions=True)
            if app.slack is not None:
                await app.slack.close()
            await asyncio.to_thread(app.stop)

    app.asgi.router.lifespan_context = lifespan
    return app.asgi


async def _socket_mode(app: App) -> None:
    if app.slack is not None and app.settings.slack_app_token:
        await app.slack.run_socket()


async def _fresh_homes(app: App) -> None:
    if app.slack is not None:
        await app.slack.keep_homes_fresh()
