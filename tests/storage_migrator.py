"""A node in a process of its own: migrates each database it is told, at once, and says what came of it."""

import sys

from core.errors import DatabaseError
from storage.database import Database
from storage.migrations import schema


def main() -> None:
    print("ready", schema.HERE.name, flush=True)  # what migrating needs is imported before the race
    for line in sys.stdin:
        database = Database.open(line.strip())
        print(outcome(database), flush=True)
        database.close()


def outcome(database):
    try:
        database.migrate()
    except DatabaseError as error:
        return f"failed: {error.__cause__}"
    return "migrated" if database.migrated() else "not migrated"


if __name__ == "__main__":
    main()
