"""Draw every Slack message, tab and dialog into docs/pictures: `python -m pictures [NAME ...]`.

Needs Node 20 and a Chromium on the PATH (Debian: `apt-get install chromium`; or its path in CHROMIUM).
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
OUT = ROOT / "docs" / "pictures"
COLOURS = 48
"""Enough for text and bars; it makes a picture a third of its size."""
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


def gallery() -> list[dict[str, object]]:
    """Everything the tests look at, with its surface."""
    from fakes.slack_gallery import homes, messages, modals

    kinds = (("message", messages()), ("home", homes()), ("modal", modals()))
    return [
        {"name": name, "surface": surface, "payload": payload}
        for surface, found in kinds
        for name, payload in found.items()
    ]


def shrink(folder: Path) -> None:
    """Fewer colours, smaller files; text stays sharp."""
    from PIL import Image

    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as picture:
            small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(OUT / path.name, optimize=True)


def prepare() -> None:
    """The drawing library, once; nothing is locked here because nothing of it is shipped."""
    if missing := [tool for tool in ("node", "npm") if not shutil.which(tool)]:
        raise SystemExit(
            f"Drawing needs {' and '.join(missing)}; on Debian: apt-get install nodejs npm chromium"
        )
    if not (HERE / "node_modules").is_dir():
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], cwd=HERE, check=True
        )


def main(names: list[str]) -> None:
    """Draw all of them, or those named."""
    prepare()
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "gallery.json").write_text(json.dumps(gallery()))
        command = ["node", str(HERE / "draw.mjs"), str(folder / "gallery.json"), str(folder), *names]
        subprocess.run(command, cwd=HERE, check=True)
        shrink(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
