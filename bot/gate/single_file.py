"""The gate as one file: the modules it consists of, one after the other, with the imports between them left out."""

import re
from functools import cache
from importlib.resources import files

from bot.version import version

MODULES = (
    ("core", "ci.py"),
    ("core", "gate.py"),
    ("bot", "gate/upload.py"),
    ("bot", "gate/identity.py"),
    ("bot", "gate/options.py"),
    ("bot", "gate/step.py"),
)
_BETWEEN = re.compile(
    r"^from (?:core|bot)[\w.]* import .*\n|^from __future__ import annotations\n", re.MULTILINE
)
_DOCSTRING = re.compile(r'\A""".*?"""\n', re.DOTALL)
HEAD = '''#!/usr/bin/env python3
"""FlakeGuard {version}: let a failing test step count as green when every single failure is quarantined.

    python3 gate.py -- pytest --junitxml=junit.xml
    python3 gate.py --junit 'reports/*.xml' --exit-code $?

Needs Python 3.9 or newer and nothing else, FLAKEGUARD_URL and FLAKEGUARD_TOKEN
(on GitHub Actions the permission id-token: write will do instead of the token).
"""

from __future__ import annotations

'''
TAIL = """

if __name__ == "__main__":
    import os

    raise SystemExit(gate(sys.argv[1:], dict(os.environ)))
"""


@cache
def single_file() -> str:
    """Runs anywhere; made from the very modules that `flakeguard gate` runs."""
    return HEAD.format(version=version()) + "\n\n".join(map(_body, MODULES)) + TAIL


def _body(module: tuple[str, str]) -> str:
    room, path = module
    source = files(room).joinpath(path).read_text(encoding="utf-8")
    return _BETWEEN.sub("", _DOCSTRING.sub("", source)).strip() + "\n"
