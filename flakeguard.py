"""The front door: `flakeguard`, `python -m flakeguard`; importing it changes nothing."""

import sys
from pathlib import Path


def main() -> int:
    """Run the command line with our own rooms in front of whatever `core/` or `storage/` the caller's folder has."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from bot.cli import main as command_line  # noqa: PLC0415 - only after the line above is `bot` surely ours

    return command_line()


if __name__ == "__main__":
    raise SystemExit(main())
