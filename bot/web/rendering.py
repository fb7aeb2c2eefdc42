"""Templates to answers: everything escaped, nothing that could run, nothing kept by a cache."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from bot.slack.blocks.words import count, duration, number
from bot.version import version
from bot.web import addresses, words
from bot.web.charts import kind_of
from bot.web.states import STATES, STORIES
from bot.web.viewer import Viewer

HERE: Final = Path(__file__).parent
STYLE: Final = (HERE / "static" / "style.css").read_bytes()
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    # Stricter, browsers would send no Origin along with our own forms; other sites still learn nothing.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}


class Renderer:
    """Turns a view into a page."""

    def __init__(self, base_url: str) -> None:
        """`base_url`: a proxy may serve us below a path of its own."""
        self.prefix = addresses.prefix_of(base_url)
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(_filters(self.prefix))
        self._templates.globals.update(
            {
                "at": addresses,
                "states": STATES,
                "stories": STORIES,
                "style": hashlib.sha256(STYLE).hexdigest()[:12],
                "version": version(),
            }
        )

    def html(self, template: str, view: Mapping[str, Any], *, viewer: Viewer | None, now: datetime) -> str:
        """The page's text."""
        return self._templates.get_template(template).render(**view, viewer=viewer, now=now)

    def path(self, path: str) -> str:
        """A path as the browser has to ask for it."""
        return f"{self.prefix}{path}"


def answer(html: str, status: int = 200, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """The page with its headers."""
    return HTMLResponse(html, status, headers={**HEADERS, **(headers or {})})


def _filters(prefix: str) -> Mapping[str, Any]:
    return {
        "path": lambda path: f"{prefix}{path}",
        "shown": words.shown,
        "lines": words.shown_lines,
        "cut": words.cut,
        "short_name": words.short_name,
        "place": words.place_of,
        "address": words.address,
        "moment": words.moment,
        "brief": words.brief,
        "relative": words.relative,
        "share": words.share,
        "span": words.span,
        "breakable": words.breakable,
        "parsed": datetime.fromisoformat,
        "firstline": words.first_line,
        "kind": kind_of,
        "count": count,
        "number": number,
        "duration": duration,
    }
