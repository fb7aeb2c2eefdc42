"""Commands that read reports: parse, ingest, import."""

import gc
import gzip
import io
import json
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import typer

from bot.cli.opened import opened, operator, wall_clock
from bot.cli.output import Json, complain, emit, note, progress, say, show_table
from core.errors import FlakeGuardError, NotFoundError, ProcessingError, ValidationError
from core.tenancy import Scope

if TYPE_CHECKING:
    from core.report import CaseResult, Report
    from core.tenancy import Project
    from jobs.desk import Desk

FILES = typer.Argument(..., metavar="FILE...", help="Reports: XML or JSON, plain, gzip or zip.")


def add_commands(app: typer.Typer) -> None:
    """Register them."""
    app.command("parse")(parse)
    app.command("ingest")(ingest)
    app.command("import")(import_results)


def parse(files: list[Path] = FILES, as_json: bool = Json) -> None:
    """Read reports and show what they say; nothing is stored."""
    reports, bad = [], 0
    for file in files:
        try:
            reports += [report_view(name, report) for name, report in _read(file)]
        except FlakeGuardError as error:
            complain(error.message)
            bad += 1
    if as_json:
        emit({"reports": reports})
    else:
        for report in reports:
            _show_report(report)
    raise typer.Exit(1 if bad else 0)


def _read(file: Path) -> Iterator[tuple[str, "Report"]]:
    from bot.intake import Upload, documents

    yield from documents([Upload(str(file), io.BytesIO(content_of(file)))])


def content_of(file: Path) -> bytes:
    """A file's bytes; ProcessingError says why not."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise ProcessingError(f"{file}: {error.strerror or error}.") from error


def report_view(name: str, report: "Report") -> dict[str, Any]:
    """One document as plain data."""
    return {
        "file": name,
        "dialect": report.dialect,
        "partial": report.partial,
        "warnings": list(report.warnings),
        "suite_errors": [{"suite": error.suite, "message": error.message} for error in report.suite_errors],
        "tests": [case_view(case) for case in report.cases],
    }


def case_view(case: "CaseResult") -> dict[str, Any]:
    """One test of a report as plain data."""
    return {
        "suite": case.key.suite,
        "class": case.key.class_name,
        "name": case.key.name,
        "file": case.key.file,
        "variant": case.key.variant,
        "outcome": case.outcome.value,
        "flaky": case.flaky,
        "ambiguous": case.ambiguous,
        "duration": case.duration,
        "attempts": [
            {"outcome": attempt.outcome.value, "duration": attempt.duration, "message": attempt.message}
            for attempt in case.attempts
        ],
    }


def _show_report(report: Mapping[str, Any]) -> None:
    say(f"{report['file']}: {report['dialect']}, {len(report['tests'])} tests")
    for warning in report["warnings"]:
        say(f"  warning: {warning}")
    for error in report["suite_errors"]:
        say(
            f"  suite error: {error['suite']}: {error['message'].splitlines()[0] if error['message'] else ''}"
        )
    rows = (
        (
            "flaky" if test["flaky"] else test["outcome"],
            test["class"] or test["suite"],
            test["name"],
            test["duration"],
        )
        for test in report["tests"]
        if test["flaky"] or test["outcome"] not in {"passed", "skipped"}
    )
    show_table(("outcome", "class", "name", "seconds"), rows, empty="  every test passed or was skipped")


def ingest(
    files: list[Path] = FILES,
    run_id: str = typer.Option(..., help="The CI's id of the run."),
    commit: str = typer.Option(..., help="The tested commit."),
    branch: str = typer.Option(..., help="Its branch."),
    project: str = typer.Option("", metavar="OWNER/NAME", help="The project; over HTTP the token tells."),
    attempt: str = typer.Option("", help="Which attempt of the run, from 1."),
    job: str = typer.Option("", help="The CI job."),
    variant: str = typer.Option("", help="The matrix cell."),
    base: str = typer.Option("", help="The default-branch commit the change started from."),
    event: str = typer.Option("", help="What started the run, as the CI names it."),
    pr: str = typer.Option("", help="Number of the pull request."),
    at: str = typer.Option("", help="When it ran, ISO 8601 (now)."),
    run_url: str = typer.Option("", help="Where people can look at the run."),
    fork: bool = typer.Option(False, "--fork", help="The change comes from a fork."),
    url: str = typer.Option("", help="A server to upload to, instead of the database."),
    token: str = typer.Option("", help="A token that may ingest, with --url."),
    as_json: bool = Json,
) -> None:
    """Store the reports of one run; all files together are one run."""
    fields = {
        "run_id": run_id,
        "commit": commit,
        "branch": branch,
        "project": project,
        "attempt": attempt,
        "job": job,
        "variant": variant,
        "base": base,
        "event": event,
        "pr": pr,
        "started_at": at,
        "url": run_url,
        "fork": "1" if fork else "",
    }
    given = {name: value for name, value in fields.items() if value}
    answer = _over_http(url, token, given, files) if url else into_database(given, files)
    if as_json:
        emit(answer)
    else:
        _show_answer(answer)


def _over_http(url: str, token: str, fields: Mapping[str, str], files: Sequence[Path]) -> Mapping[str, Any]:
    from bot.gate.upload import Server, TroubleError

    if not token:
        raise ValidationError("Give --token: the server wants to know who uploads.", field="token")
    for file in files:
        content_of(file)
    try:
        return Server(url, token, seconds=60).ingest(fields, [str(file) for file in files])
    except TroubleError as error:
        raise ProcessingError(str(error)) from error


def into_database(
    fields: Mapping[str, str], files: Sequence[Path], *, wants_unmatched: bool = False
) -> dict[str, Any]:
    """The same as an upload, without a server."""
    from bot.ingesting import ingest_uploads
    from bot.intake import Upload
    from bot.pages import project_named
    from bot.run_fields import read_run
    from core.limits import DEFAULT

    if not fields.get("project"):
        raise ValidationError("Give --project OWNER/NAME.", field="project")
    with opened() as desk:
        with desk.database.read() as tx:
            project = project_named(tx, fields["project"])
        run = read_run(fields, project, Scope.ADMIN, now=wall_clock())
        uploads = [Upload(str(file), io.BytesIO(content_of(file))) for file in files]
        return ingest_uploads(desk, project, run, uploads, limits=DEFAULT, wants_unmatched=wants_unmatched)


def _show_answer(answer: Mapping[str, Any]) -> None:
    counts = ", ".join(f"{count} {name}" for name, count in answer["counts"].items() if count)
    say(
        f"{'Already stored' if answer['duplicate'] else 'Stored'}: {answer['total']} tests ({counts or 'none'})"
    )
    for warning in answer["warnings"]:
        note(f"warning: {warning}")
    rows = ((item["verdict"], item["class"] or item["suite"], item["name"]) for item in answer["failures"])
    show_table(("verdict", "class", "name"), rows, empty="Nothing failed.")


def import_results(
    file: Path = typer.Argument(
        ..., metavar="RESULTS.JSONL", help="Bulk history, plain or gzip; - for standard input."
    ),
    project: str = typer.Option("", metavar="OWNER/NAME", help="Import everything into this project."),
    as_json: bool = Json,
) -> None:
    """Import bulk history in time order; `at` of each line is the clock. Again changes nothing."""
    from jobs.import_history import import_history, read_history

    began = time.perf_counter()
    totals = {"runs": 0, "results": 0, "merges": 0, "duplicates": 0, "conflicts": 0}
    with opened() as desk, _collecting_seldom():
        with progress("reading") as step:
            histories = read_history(_lines(file, step), project=project)
        for repo, history in histories.items():
            owner = _project(desk, repo)
            with progress(f"importing {repo}") as step:
                answer = import_history(desk, owner.id, history, progress=step)
            for name in totals:
                totals[name] += getattr(answer, name)
    seconds = round(time.perf_counter() - began, 3)
    if as_json:
        emit({**totals, "seconds": seconds, "projects": list(histories)})
        return
    say(
        f"{totals['runs']:,} runs, {totals['results']:,} results and {totals['merges']:,} merges in {seconds:.1f} s"
    )
    if totals["duplicates"] or totals["conflicts"]:
        note(
            f"{totals['duplicates']} runs were stored already, {totals['conflicts']} of them with other content."
        )


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """What is imported stays: looking through all of it for garbage, again and again, is a tenth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _project(desk: "Desk", repo: str) -> "Project":
    """The project of the history, made when it is new."""
    from bot.pages import project_named
    from jobs.enroll import enroll_project

    try:
        with desk.database.read() as tx:
            return project_named(tx, repo)
    except NotFoundError:
        note(f"{repo} is new: created.")
        return enroll_project(desk, repo, by=operator())


def _lines(file: Path, step: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    from pydantic_core import from_json

    for number, line in enumerate(_raw_lines(file), 1):
        if number % 20_000 == 0:
            step(number, 0)
        if line.isspace():
            continue
        try:
            found = from_json(line)
        except ValueError:
            found = _repaired(line, number)
        if not isinstance(found, dict):
            raise ValidationError(f"Line {number} is not a JSON object.", line=number)
        yield number, found


def _raw_lines(file: Path) -> Iterator[bytes]:
    try:
        with _bytes(file) as source:
            yield from source
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ProcessingError(f"{file}: the gzip file is cut short or damaged.") from error
    except OSError as error:
        raise ProcessingError(f"{file}: {error.strerror or error}.") from error


def _repaired(line: bytes, number: int) -> Any:
    """Bytes that are no UTF-8 become question marks; anything else wrong is named."""
    try:
        return json.loads(line.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"Line {number} is not JSON ({error}).", line=number) from error


def _bytes(file: Path) -> IO[bytes]:
    if str(file) == "-":
        return typer.get_binary_stream("stdin")
    with file.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(file)) if zipped else file.open("rb")
