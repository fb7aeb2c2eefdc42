"""The door: in by a link from Slack or with an API token, and out again."""

from datetime import timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from bot.http.auth import Caller
from bot.web import addresses
from bot.web.links import TICKET
from bot.web.sealed import unseal
from bot.web.session import ServerSession, Session, SlackSession, TokenSession
from bot.web.site import Site
from core.errors import AuthenticationError, ForbiddenError
from jobs.admit import use_ticket

AFTER_LIFE: Final = timedelta(minutes=30)
OLD_LINK: Final = "This link is too old, was used already, or is not ours. Ask for a new one in Slack."
FOREIGN_FORM: Final = "This form was not sent from our own page. Open the page again and try once more."


class Door:
    """What happens at /web/signin, /web/enter and /web/signout."""

    def __init__(self, site: Site) -> None:
        """Nothing is read yet."""
        self._site = site

    async def how_to_get_in(
        self, after: Annotated[str, Query(alias="next", max_length=2000)] = ""
    ) -> Response:
        return await self._closed(after=addresses.local(after))

    async def with_a_token(
        self,
        request: Request,
        token: Annotated[str, Form()] = "",
        after: Annotated[str, Form(alias="next")] = "",
    ) -> Response:
        require_own_form(request, self._site)
        path = addresses.local(after)
        try:
            caller = await self._site.face.admit(request, token)
        except AuthenticationError as error:
            return await self._closed(after=path, fault=error.message, status=401)
        except ForbiddenError as error:
            return await self._closed(after=path, fault=error.message, status=403)
        return await self._site.let_in(request, self._session(caller), path)

    async def with_a_link(self, ticket: Annotated[str, Query(alias="t", max_length=5000)] = "") -> Response:
        """Only looks: a link preview neither uses the link up nor gets a session."""
        facts = await self._facts(ticket)
        if facts is None:
            return await self._closed(fault=OLD_LINK, status=403)
        return await self._site.open_page("enter.html", {"ticket": ticket, "user": facts["user"]})

    async def enter(self, request: Request, ticket: Annotated[str, Form(alias="t")] = "") -> Response:
        require_own_form(request, self._site)
        facts = await self._facts(ticket)
        if facts is None or not await self._site.face.work(lambda: use_ticket(self._site.face.desk, ticket)):
            return await self._closed(fault=OLD_LINK, status=403)
        session = SlackSession(facts["team"], facts["user"])
        return await self._site.let_in(request, session, addresses.local(facts["path"]))

    async def sign_out(self, request: Request) -> Response:
        require_own_form(request, self._site)
        response = self._site.go(addresses.signin())
        self._site.session_cookie.drop(response)
        return response

    async def _closed(self, *, after: str = addresses.HOME, fault: str = "", status: int = 200) -> Response:
        view = {"after": after, "fault": fault, "slack": self._site.settings.slack_enabled}
        response = await self._site.open_page("signin.html", view, status=status)
        if after != addresses.HOME:
            # Whoever comes back through a link from Slack is taken to the page they wanted.
            self._site.after_cookie.put(response, after, AFTER_LIFE)
        return response

    async def _facts(self, ticket: str) -> dict[str, Any] | None:
        now = self._site.face.desk.now()
        facts = await self._site.face.work(lambda: unseal(self._site.key(), TICKET, ticket, now=now))
        return dict(facts) if facts is not None else None

    def _session(self, caller: Caller) -> Session:
        return TokenSession(caller.token.id) if caller.token else ServerSession(self._site.admin_mark)


def add_door(router: APIRouter, site: Site) -> None:
    """GET and POST of /web/signin, /web/enter and /web/signout."""
    door = Door(site)
    router.get("/web/signin")(door.how_to_get_in)
    router.post("/web/signin")(door.with_a_token)
    router.get("/web/enter")(door.with_a_link)
    router.post("/web/enter")(door.enter)
    router.post("/web/signout")(door.sign_out)


def require_own_form(request: Request, site: Site) -> None:
    """Refuse forms that another site sent: the cookie alone proves nothing about who pressed the button."""
    told = request.headers.get("sec-fetch-site")
    if told is None:
        # Browsers tell it over TLS only; the origin of a form they always tell.
        ours = {request.headers.get("host", ""), urlsplit(site.settings.base_url).netloc} - {""}
        own = urlsplit(request.headers.get("origin", "")).netloc in ours
    else:
        own = told == "same-origin"
    if not own:
        raise ForbiddenError(FOREIGN_FORM)
