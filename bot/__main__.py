"""`python -m flakeguard` where FlakeGuard is installed: this file lies in the wheel as `flakeguard/__main__.py`."""

from flakeguard import main

if __name__ == "__main__":
    raise SystemExit(main())
