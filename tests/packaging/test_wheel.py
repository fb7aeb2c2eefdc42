"""The wheel: nothing generic in anybody's site-packages, and it runs where others have rooms of the same names."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("bot", "core", "jobs", "storage")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def names(wheel):
    return zipfile.ZipFile(wheel).namelist()


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """A clean environment with the wheel in it, borrowing our dependencies but not our checkout."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    site = Path(
        subprocess.check_output(
            [python, "-c", "import site; print(site.getsitepackages()[0])"], text=True
        ).strip()
    )
    command = ["pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, "-m", *command], check=True)
    ours = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    # Only the packages: our own .pth file would put the checkout on the path.
    (site / "borrowed.pth").write_text(str(ours) + "\n")
    return python, site


@pytest.fixture
def elsewhere(tmp_path):
    """A checkout of somebody whose folders are called like our rooms."""
    for room in (*ROOMS, "tests"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("raise RuntimeError('this is not FlakeGuard')\n")
    return tmp_path


def runs(python, cwd, *words):
    return subprocess.run([python, *words], cwd=cwd, capture_output=True, text=True, check=False)


def test_the_wheel_installs_no_generic_name(names):
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"flakeguard", "flakeguard_pytest.py"}


@pytest.mark.parametrize(
    "name",
    [
        "flakeguard/__init__.py",
        "flakeguard/__main__.py",
        "flakeguard/manifest.yml",
        "flakeguard/core/gate.py",
        "flakeguard/storage/migrations/env.py",
        "flakeguard/bot/web/templates/base.html",
        "flakeguard/bot/web/static/style.css",
        "flakeguard_pytest.py",
    ],
)
def test_the_wheel_holds_what_is_needed(names, name):
    assert name in names


def test_the_wheel_holds_a_migration_and_no_rubbish(names):
    assert [name for name in names if name.startswith("flakeguard/storage/migrations/versions/0001")]
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".db"))]


def test_it_runs_as_a_command_among_strangers_of_the_same_names(installed, elsewhere):
    python, site = installed
    script = site / "bin" / "flakeguard"
    done = runs(python, elsewhere, str(script), "--help")
    assert (done.returncode, "quarantine" in done.stdout) == (0, True), done.stderr


def test_it_runs_as_a_module_among_strangers_of_the_same_names(installed, elsewhere):
    done = runs(installed[0], elsewhere, "-m", "flakeguard", "version", "--json")
    assert (done.returncode, '"version": "0.' in done.stdout) == (0, True), done.stderr


def test_it_brings_its_schema_along(installed, elsewhere):
    done = runs(installed[0], elsewhere, "-m", "flakeguard", "project", "create", "acme/shop", "--json")
    assert (done.returncode, '"repo": "acme/shop"' in done.stdout) == (0, True), done.stderr


def test_importing_it_leaves_the_hosts_names_alone(installed, elsewhere):
    done = runs(
        installed[0], elsewhere, "-c", "import flakeguard, sys; print('core' in sys.modules, sys.path[0])"
    )
    assert done.stdout.strip() == "False"


def test_the_checkout_itself_runs_as_a_module():
    done = runs(sys.executable, ROOT, "-m", "flakeguard", "version")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", [["--help"], ["gate", "--help"], ["token", "create", "--help"]])
def test_help_is_quick(words):
    """In imports, not in seconds: what is slow to load is not loaded."""
    program = (
        "import sys; sys.argv = ['flakeguard', *sys.argv[1:]]; import flakeguard\n"
        "try: flakeguard.main()\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'sqlalchemy', 'fastapi', 'slack_bolt', 'lxml', 'uvicorn', 'httpx', 'rich'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = runs(sys.executable, ROOT, "-c", program, *words)
    assert done.stdout.strip().splitlines()[-1] == "HEAVY []", done.stderr
