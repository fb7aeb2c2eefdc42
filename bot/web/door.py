"""The door: in by a link from Slack or with an API token, and out again."""

from datetime import timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

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


def add_door(router: APIRouter, site: Site) -> None:
    """GET and POST of /web/signin, /web/enter and /web/signout."""

    @router.get("/web/signin")
    async def how_to_get_in(after: Annotated[str, Query(alias="next", max_length=2000)] = "") -> Response:
        return await _door(site, after=addresses.local(after))

    @router.post("/web/signin")
    async def with_a_token(
        request: Request,
        token: Annotated[str, Form()] = "",
        after: Annotated[str, Form(alias="next")] = "",
    ) -> Response:
        require_own_form(request, site)
        path = addresses.local(after)
        try:
            caller = await site.face.admit(request, token)
        except AuthenticationError as error:
            return await _door(site, after=path, fault=error.message, status=401)
        except ForbiddenError as error:
            return await _door(site, after=path, fault=error.message, status=403)
        session: Session = TokenSession(caller.token.id) if caller.token else ServerSession(site.admin_mark)
        return await site.let_in(request, session, path)

    @router.get("/web/enter")
    async def with_a_link(ticket: Annotated[str, Query(alias="t", max_length=5000)] = "") -> Response:
        """Only looks: a link preview neither uses the link up nor gets a session."""
        facts = await _facts(site, ticket)
        if facts is None:
            return await _door(site, fault=OLD_LINK, status=403)
        return await site.open_page("enter.html", {"ticket": ticket, "user": facts["user"]})

    @router.post("/web/enter")
    async def enter(request: Request, ticket: Annotated[str, Form(alias="t")] = "") -> Response:
        require_own_form(request, site)
        facts = await _facts(site, ticket)
        if facts is None or not await site.face.work(lambda: use_ticket(site.face.desk, ticket)):
            return await _door(site, fault=OLD_LINK, status=403)
        session = SlackSession(facts["team"], facts["user"])
        return await site.let_in(request, session, addresses.local(facts["path"]))

    @router.post("/web/signout")
    async def sign_out(request: Request) -> Response:
        require_own_form(request, site)
        response = site.go(addresses.signin())
        site.session_cookie.drop(response)
        return response


async def _door(site: Site, *, after: str = addresses.HOME, fault: str = "", status: int = 200) -> Response:
    view = {"after": after, "fault": fault, "slack": site.settings.slack_enabled}
    response = await site.open_page("signin.html", view, status=status)
    if after != addresses.HOME:
        # Whoever comes back through a link from Slack is taken to the page they wanted.
        site.after_cookie.put(response, after, AFTER_LIFE)
    return response


async def _facts(site: Site, ticket: str) -> dict[str, Any] | None:
    now = site.face.desk.now()
    facts = await site.face.work(lambda: unseal(site.key(), TICKET, ticket, now=now))
    return dict(facts) if facts is not None else None


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
