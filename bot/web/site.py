"""What the pages share: who is signed in, one snapshot for each page, and errors as pages."""

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from bot.http.errors import TITLES, status_of
from bot.http.face import Face
from bot.web import addresses
from bot.web.key import web_key
from bot.web.rendering import HEADERS, Renderer, answer
from bot.web.session import LIFE, Cookie, Session, read_session, sealed_session
from bot.web.viewer import Gate, Viewer
from core.errors import FlakeGuardError
from storage.database import Tx

View = Mapping[str, Any]
MISSING: Final = "There is no such page, or you may not see it."


class Site:
    """Built once per application."""

    def __init__(self, face: Face) -> None:
        """Keep what the pages need; nothing is read yet."""
        self.face = face
        self.settings = face.settings
        self.renderer = Renderer(face.settings.base_url)
        https = face.settings.base_url.startswith("https://")
        self.session_cookie = Cookie("flakeguard", https)
        self.after_cookie = Cookie("flakeguard_after", https)
        self.admin_mark = face.admin_hash.hex()[:32] if face.admin_hash else ""
        self._gate = Gate(face.settings, self.admin_mark)
        self._key: bytes | None = None

    def key(self) -> bytes:
        """What links and sessions are signed with; may ask the database, once."""
        if self._key is None:
            self._key = web_key(self.settings, self.face.desk)
        return self._key

    async def page(
        self, request: Request, template: str, gather: Callable[[Tx, Viewer], View], *, status: int = 200
    ) -> Response:
        """Gather and draw one page for whoever is signed in; others are sent to the door."""
        html = await self.face.work(partial(self._drawn, self._sealed(request), template, gather))
        if html is None:
            return self.go(addresses.signin(addresses.local(_asked(request))))
        return answer(html, status)

    async def open_page(self, template: str, view: View, *, status: int = 200) -> Response:
        """A page that nobody has to be signed in for."""
        html = await self.face.work(
            partial(self.renderer.html, template, view, viewer=None, now=self.face.desk.now())
        )
        return answer(html, status)

    def go(self, path: str) -> RedirectResponse:
        """On to another of our pages."""
        return RedirectResponse(self.renderer.path(path), 303, headers=HEADERS)

    async def let_in(self, request: Request, session: Session, path: str) -> Response:
        """Signed in from here on; goes where the person wanted to go in the first place."""
        value = await self.face.work(lambda: sealed_session(self.key(), session, now=self.face.desk.now()))
        after = addresses.local(self.after_cookie.read(request.cookies))
        response = self.go(path if path != addresses.HOME else after)
        self.session_cookie.put(response, value, LIFE)
        self.after_cookie.drop(response)
        return response

    def _sealed(self, request: Request) -> str:
        return self.session_cookie.read(request.cookies)

    def _drawn(self, sealed: str, template: str, gather: Callable[[Tx, Viewer], View]) -> str | None:
        now = self.face.desk.now()
        session = read_session(self.key(), sealed, now=now) if sealed else None
        if session is None:
            return None
        with self.face.desk.database.read() as tx:
            viewer = self._gate.viewer(tx, session, now=now)
            view = gather(tx, viewer) if viewer else {}
        # Drawn after the snapshot is given back: a slow page keeps no connection.
        return self.renderer.html(template, view, viewer=viewer, now=now) if viewer else None


def _asked(request: Request) -> str:
    path = request.url.path
    return f"{path}?{request.url.query}" if request.url.query else path


def paged_errors(site: Site) -> type[APIRoute]:
    """Routes whose errors are pages, not problem+json."""

    class PageRoute(APIRoute):
        """One route of the pages."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """Around the route's own handler."""
            handler = super().get_route_handler()

            async def handle(request: Request) -> Response:
                try:
                    return await handler(request)
                except FlakeGuardError as error:
                    return await _told(site, error)
                except HTTPException as error:
                    cause = error.__cause__
                    if isinstance(cause, FlakeGuardError):
                        return await _told(site, cause)
                    return await _sorry(site, error.status_code, "This could not be read.")
                except RequestValidationError:
                    return await _sorry(site, 404, MISSING)

            return handle

    return PageRoute


async def _told(site: Site, error: FlakeGuardError) -> Response:
    status = status_of(error)
    # A page says the same whether something is foreign, missing or misspelled.
    detail = MISSING if status == 404 else error.message  # noqa: PLR2004 - not found
    response = await _sorry(site, status, detail)
    if wait := getattr(error, "retry_after", None):
        response.headers["Retry-After"] = str(max(1, round(wait)))
    return response


async def _sorry(site: Site, status: int, detail: str) -> Response:
    view = {"title": TITLES.get(status, "Error"), "detail": detail, "status": status}
    return await site.open_page("error.html", view, status=status)
