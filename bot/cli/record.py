"""Commands around the record: audit verify, audit export, digest, export."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.opened import opened, wall_clock
from bot.cli.output import Json, complain, emit, note, progress, say, show_table
from bot.cli.tenants import REPO, project_of

if TYPE_CHECKING:
    from core.tenancy import Organization
    from storage.database import Tx

ORG = typer.Option("", "--org", help="Only of this organization.")
OUT = typer.Option(None, "--output", "-o", help="A file instead of the standard output.")


def add_commands(app: typer.Typer) -> None:
    """Register them."""
    audit = typer.Typer(help="The audit log: who changed what, in a chain of hashes.", no_args_is_help=True)
    audit.command("verify")(verify)
    audit.command("export")(export_audit)
    app.add_typer(audit, name="audit")
    app.command("digest")(digest)
    app.command("export")(export)


def verify(org: str = ORG, as_json: bool = Json) -> None:
    """Walk every chain of the audit log; exit code 1 when one is broken."""
    from core.audit import verify as walk
    from storage.audit import chain, head

    with opened() as desk, desk.database.read() as tx:
        found = []
        for tenant in _tenants(tx, org):
            events, last = head(tx, tenant.id)
            found.append((tenant, events, last, walk(chain(tx, tenant.id))))
    whole = not any(broken for *_, broken in found)
    if as_json:
        items = [
            {"organization": tenant.name, "events": events, "head": last, "ok": not broken, "error": broken}
            for tenant, events, last, broken in found
        ]
        emit({"ok": whole, "items": items})
    else:
        rows = ((tenant.name, events, last[:16], broken or "whole") for tenant, events, last, broken in found)
        show_table(("organization", "events", "head", "chain"), rows, empty="There is nothing to verify yet.")
    if not whole:
        complain("the audit log was changed after it was written")
        raise typer.Exit(1)


def _tenants(tx: "Tx", org: str) -> "list[Organization]":
    from core.errors import NotFoundError
    from storage.organization import find_organization, list_organizations

    if not org:
        return list_organizations(tx)
    tenant = find_organization(tx, org)
    if tenant is None:
        raise NotFoundError(f"There is no organization {org}.")
    return [tenant]


def export_audit(org: str = ORG, output: Path | None = OUT, as_json: bool = Json) -> None:
    """Write the audit log, one JSON event a line, oldest first."""
    from bot.views import audit_view
    from storage.audit import chain

    count = 0
    with opened() as desk, desk.database.read() as tx, _lines_to(output) as write:
        for tenant in _tenants(tx, org):
            for event in chain(tx, tenant.id):
                write({"organization": tenant.name, **audit_view(event)})
                count += 1
    _exported(count, "events", output, as_json=as_json)


def _exported(count: int, what: str, output: Path | None, *, as_json: bool) -> None:
    if as_json:
        emit({what: count, "file": str(output) if output else None})
    elif output:
        note(f"{count:,} {what} in {output}")


class _lines_to:  # noqa: N801 - used as a function
    """Writes JSON lines into a file or to the standard output."""

    def __init__(self, output: Path | None) -> None:
        self._file = output.open("w", encoding="utf-8") if output else None

    def __enter__(self) -> Any:
        return self._write

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def _write(self, document: dict[str, Any]) -> None:
        line = json.dumps(document, default=str, ensure_ascii=True)
        if self._file:
            self._file.write(line + "\n")
        else:
            say(line)


def digest(
    repo: str = REPO,
    post: bool = typer.Option(False, "--post", help="Say it in the project's channels now."),
    as_json: bool = Json,
) -> None:
    """Show what changed in a project lately, as its digest would say it."""
    from dataclasses import asdict

    from bot.cli.telling import tell_digest
    from bot.slack.blocks.digest import verdict
    from jobs.digest import compose_digest, post_digest

    now = wall_clock()
    with opened() as desk:
        project = project_of(desk, repo)
        with desk.database.read() as tx:
            card = compose_digest(tx, project, until=now)
        channels = post_digest(desk, project.id, until=now) if post else 0
    if as_json:
        emit({**asdict(card), "posted_to": channels})
        return
    tell_digest(card, verdict(card))
    if post:
        note(f"The server posts it to {channels} channels.")


def export(repo: str = REPO, output: Path | None = OUT, as_json: bool = Json) -> None:
    """Write a project's results as results.jsonl, the format that `import` reads."""
    from bot.exporting import results

    count = 0
    with opened() as desk:
        project = project_of(desk, repo)
        with desk.database.read() as tx, _lines_to(output) as write, progress("exporting") as step:
            for line in results(tx, project, step):
                write(line)
                count += 1
    _exported(count, "results", output, as_json=as_json)
