"""Commands that run the program: serve, worker, demo, doctor, migrate, backup."""

from pathlib import Path

import typer

from bot.cli.opened import opened, settings, wall_clock
from bot.cli.output import Json, emit, say, show_table

WHOLE = 400
"""Characters of a finding: what is wrong with a database is told to its end."""


def add_commands(app: typer.Typer) -> None:
    """Register them."""
    for name, command in (
        ("serve", serve),
        ("worker", worker),
        ("demo", demo),
        ("doctor", doctor),
        ("migrate", migrate),
        ("backup", backup),
        ("version", version),
    ):
        app.command(name)(command)


def serve(
    host: str = typer.Option("127.0.0.1", help="Address to listen on; 0.0.0.0 for every one."),
    port: int = typer.Option(8000, min=0, max=65535, help="Port to listen on."),
    workers: int = typer.Option(1, min=1, max=64, help="Processes; more than one needs PostgreSQL."),
) -> None:
    """Run the server: REST API, webhooks, Slack, sweeps and timetable."""
    from bot.serve import serve as run

    found = settings()
    if port and "base_url" not in found.model_fields_set:
        found = found.model_copy(update={"base_url": f"http://127.0.0.1:{port}"})
    run(found, host=host, port=port, workers=workers)


def worker() -> None:
    """Run sweeps and timetable on one more node, without the web."""
    from bot.serve import work

    work(settings())


def demo(
    yes: bool = typer.Option(False, "--yes", "-y", help="Approve without asking, as where no terminal is."),
) -> None:
    """Show the whole loop on this machine: real server, real tests, a Slack room of our own."""
    from bot.demo.story import run_demo

    run_demo(now=wall_clock(), ask=False if yes else None)


def doctor(as_json: bool = Json) -> None:
    """Check the set-up: what works, what is off, what is wrong and what to do."""
    from bot.doctor import examine

    checks = examine(settings)
    if as_json:
        emit({"ok": not any(check.bad for check in checks), "checks": [check.to_dict() for check in checks]})
    else:
        rows = ((check.name, check.state, check.detail) for check in checks)
        show_table(("what", "state", "detail"), rows, empty="", width=WHOLE)
    raise typer.Exit(1 if any(check.bad for check in checks) else 0)


def migrate(as_json: bool = Json) -> None:
    """Bring the database's schema up to date."""
    with opened(migrated=False) as desk:
        before = desk.database.migrated()
        desk.database.migrate()
    told = "The schema was up to date." if before else "The schema is up to date now."
    emit({"migrated": not before}) if as_json else say(told)


def backup(
    file: Path = typer.Argument(..., help="Where to write the copy; must not exist."), as_json: bool = Json
) -> None:
    """Copy the SQLite database while it is in use (for PostgreSQL use pg_dump)."""
    from jobs.backup import back_up

    with opened() as desk:
        size = back_up(desk, file)
    emit({"file": str(file), "bytes": size}) if as_json else say(f"{file}: {size:,} bytes")


def show_version(wanted: bool) -> None:
    """`flakeguard --version`, which everybody types first."""
    if wanted:
        version(as_json=False)
        raise typer.Exit


def version(as_json: bool = Json) -> None:
    """Say which version this is."""
    from bot.version import version as found

    emit({"version": found()}) if as_json else say(found())
