"""Write migration 0001 anew from the tables as they are: `python -m storage.migrations.remake`.

Only until the first release; after it every change is a new step.
"""

import subprocess
import sys
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from storage.migrations.schema import HERE, config


def remake() -> Path:
    """Forget the old 0001 and let alembic write it against an empty database."""
    for old in (HERE / "versions").glob("0001_*.py"):
        old.unlink()
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        settings = config(connection)
        settings.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        command.revision(settings, message="The first schema", autogenerate=True, rev_id="0001")
    [made] = (HERE / "versions").glob("0001_*.py")
    for tidy in (["check", "--fix-only", "--quiet"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *tidy, str(made)], check=False)  # noqa: S603 - our own arguments
    return made


if __name__ == "__main__":
    remake()
