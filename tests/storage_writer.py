"""A process that stores runs until it is killed and prints each number once committed: URL PROJECT FIRST."""

import sys

from results import report, run_of, store

from storage.database import Database


def main() -> None:
    url, project, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    database = Database.open(url)
    for number in range(first, first + 10_000):
        store(database, project, run_of(number), contents(number))
        print(number, flush=True)


def contents(number):
    """New names now and then, fewer than a day's budget of them, failures always: every table takes part."""
    return report(120, failing={number % 120, 7}) + report(number % 10 + 1, prefix=f"new{number // 50}.")


if __name__ == "__main__":
    main()
