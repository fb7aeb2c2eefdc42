"""The pages, one route each; every one only reads."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.http.face import Face
from bot.web import addresses
from bot.web.door import add_door
from bot.web.rendering import HEADERS, STYLE
from bot.web.site import Site, paged_errors
from bot.web.views.audit import Verifier, audit
from bot.web.views.paging import LAST
from bot.web.views.quarantine import quarantines
from bot.web.views.repositories import repositories
from bot.web.views.repository import repository
from bot.web.views.test import test_page
from bot.web.views.tests import tests
from core.errors import NotFoundError
from core.verdict import TestState
from jobs.memory import ScoreMemory

Turned = Annotated[int, Query(alias="page", ge=1, le=LAST)]
Part = Annotated[str, Path(max_length=200)]
TestId = Annotated[int, Path(ge=1, le=2**53)]
Wanted = Annotated[str, Query(max_length=200)]
STATES = frozenset(state.value for state in TestState)


class Pages:
    """What is drawn at which address; built once per application."""

    def __init__(self, site: Site) -> None:
        """Chains that were verified and scores that were computed are kept from one visit to the next."""
        self._site = site
        self._now = site.face.desk.now
        self._verifier = Verifier()
        self._memory = ScoreMemory(keep=8)

    async def repositories(self, request: Request, page: Turned = 1) -> Response:
        return await self._site.page(
            request, "repositories.html", lambda tx, viewer: repositories(tx, viewer, self._now(), page)
        )

    async def repository(self, request: Request, owner: Part, name: Part) -> Response:
        return await self._site.page(
            request,
            "repository.html",
            lambda tx, viewer: repository(tx, viewer.project(owner, name), self._now()),
        )

    async def tests(  # noqa: PLR0917 - FastAPI names them
        self,
        request: Request,
        owner: Part,
        name: Part,
        state: Wanted = "",
        search: Wanted = "",
        page: Turned = 1,
    ) -> Response:
        known = state if state in STATES else ""
        text = search.replace("\0", "").strip()
        return await self._site.page(
            request,
            "tests.html",
            lambda tx, viewer: tests(tx, viewer.project(owner, name), state=known, search=text, page=page),
        )

    async def test(
        self, request: Request, owner: Part, name: Part, test_id: TestId, page: Turned = 1
    ) -> Response:
        return await self._site.page(
            request,
            "test.html",
            lambda tx, viewer: test_page(
                tx, viewer.project(owner, name), test_id, page, memory=self._memory, now=self._now()
            ),
        )

    async def quarantine(self, request: Request, owner: Part, name: Part, page: Turned = 1) -> Response:
        return await self._site.page(
            request,
            "quarantine.html",
            lambda tx, viewer: quarantines(tx, viewer.project(owner, name), page),
        )

    async def audit(self, request: Request, owner: Part, name: Part, page: Turned = 1) -> Response:
        return await self._site.page(
            request,
            "audit.html",
            lambda tx, viewer: audit(tx, viewer.project(owner, name), self._verifier, self._now(), page),
        )

    async def missing(self, request: Request, rest: str) -> Response:  # noqa: ARG002 - FastAPI wants every part named
        def nothing(*_: object) -> dict[str, object]:
            raise NotFoundError

        return await self._site.page(request, "error.html", nothing)


def web_pages(face: Face) -> APIRouter:
    """Everything below /web/."""
    site = Site(face)
    router = APIRouter(include_in_schema=False, route_class=paged_errors(site))
    _add_small(router, site)
    add_door(router, site)
    _add_pages(router, Pages(site))
    return router


def _add_small(router: APIRouter, site: Site) -> None:
    @router.get("/")
    @router.get("/web")
    async def home() -> RedirectResponse:
        return site.go(addresses.HOME)

    @router.get("/web/style.css")
    async def style() -> Response:
        kept = {"Cache-Control": "public, max-age=604800"}
        return Response(STYLE, media_type="text/css", headers={**HEADERS, **kept})


def _add_pages(router: APIRouter, pages: Pages) -> None:
    """The last one takes whatever no other has taken."""
    router.get("/web/")(pages.repositories)
    router.get("/web/{owner}/{name}")(pages.repository)
    router.get("/web/{owner}/{name}/tests")(pages.tests)
    router.get("/web/{owner}/{name}/tests/{test_id}")(pages.test)
    router.get("/web/{owner}/{name}/quarantine")(pages.quarantine)
    router.get("/web/{owner}/{name}/audit")(pages.audit)
    router.get("/web/{rest:path}")(pages.missing)
