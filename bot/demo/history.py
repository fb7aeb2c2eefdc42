"""The demo's past: fourteen commits of a small shop, each really tested, re-run when red, as CI would do."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha1
from pathlib import Path

from core.errors import ProcessingError

PROJECT = Path(__file__).parent / "project"
COMMITS = 14
OUTAGE = 5
"""The commit during whose first run the store is away."""
BREAKS = 11
"""The commit that rounds refunds the wrong way; nobody has mended it yet."""
APART = timedelta(hours=9)
RERUN_AFTER = timedelta(minutes=20)

FLAKY = frozenset({"test_payment_settles_in_time", "test_search_finds_the_new_item"})
BROKEN = frozenset({"test_half_a_cent_is_rounded_up"})


@dataclass(frozen=True, slots=True)
class DemoRun:
    """One CI run of the demo: which commit, which attempt, when, and what was wrong with the world."""

    number: int
    attempt: int
    at: datetime
    branch: str = "main"
    pr: str = ""

    @property
    def commit(self) -> str:
        return sha1(f"shop {self.branch} {self.number}".encode()).hexdigest()  # noqa: S324 - looks like a commit

    @property
    def run_id(self) -> str:
        return f"{self.branch}-{self.number}"

    @property
    def store_down(self) -> bool:
        return self.branch == "main" and self.number == OUTAGE and self.attempt == 1

    @property
    def broken(self) -> bool:
        return self.branch == "main" and self.number >= BREAKS


def planned(now: datetime) -> list[DemoRun]:
    """The first attempts, oldest first; the newest commit is a few minutes old."""
    newest = now - timedelta(minutes=40)
    return [DemoRun(number, 1, newest - APART * (COMMITS - number)) for number in range(1, COMMITS + 1)]


def again(run: DemoRun) -> DemoRun:
    """The re-run of the same commit."""
    return DemoRun(run.number, run.attempt + 1, run.at + RERUN_AFTER, run.branch, run.pr)


def check_out(folder: Path) -> Path:
    """A working copy of the bundled project."""
    target = folder / "shop"
    shutil.copytree(PROJECT, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def run_tests(checkout: Path, run: DemoRun, environment: dict[str, str]) -> tuple[Path, int]:
    """Run the project's tests with pytest; answers the JUnit report and pytest's exit code."""
    _commit(checkout, broken=run.broken)
    report = checkout.parent / f"{run.run_id}-{run.attempt}.xml"
    luck = {"SHOP_WEATHER": f"{run.run_id}/{run.attempt}", "SHOP_STORE": "down" if run.store_down else "up"}
    quiet = {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(  # noqa: S603 - our own project
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", "."],
        cwd=checkout,
        env={**environment, **luck, **quiet, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
    if not report.exists():
        raise ProcessingError(f"pytest wrote no report; is it installed here?\n{done.stdout}{done.stderr}")
    return report, done.returncode


def _commit(checkout: Path, *, broken: bool) -> None:
    """Change the code as the commit did."""
    rounding = "ROUND_DOWN" if broken else "ROUND_HALF_UP"
    text = (PROJECT / "shop" / "money.py").read_text()
    text = text.replace("ROUNDING = ROUND_HALF_UP", f"ROUNDING = {rounding}")
    (checkout / "shop" / "money.py").write_text(text)
