"""Back up: a copy of the embedded database, taken while it is in use."""

from pathlib import Path

from core.errors import ConflictError, ValidationError
from jobs.desk import Desk
from storage.backup import copy_to


def back_up(desk: Desk, file: Path) -> int:
    """Write the copy; answers its size in bytes. An existing file is never overwritten."""
    if desk.database.dialect != "sqlite":
        raise ValidationError(
            "This copies SQLite only; for PostgreSQL use pg_dump, or your provider's snapshots."
        )
    if file.exists():
        raise ConflictError(f"{file} exists already; give another name.")
    if not file.resolve().parent.is_dir():
        raise ValidationError(f"There is no folder {file.resolve().parent}.")
    with desk.database.read() as tx:
        copy_to(tx, file)
    return file.stat().st_size
