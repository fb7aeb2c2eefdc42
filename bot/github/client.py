"""The REST API as one of our two identities: the App itself, or the App in one installation."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.github.auth import AppIdentity, InstallationTokens
from bot.github.transport import Reply, Transport, UnauthorizedError
from core.errors import ForgeError
from jobs.forge import MissingError, SuspendedError

PER_PAGE = 100
MAX_PAGES = 100
"""No list we read is longer; a server that says otherwise goes round in circles."""
_KEPT = 1000
_KEPT_BYTES = 512 * 2**10
_NOT_MODIFIED = 304


class EtagCache:
    """Answers by address with their ETag: asked again, an unchanged one costs nothing of the rate limit."""

    def __init__(self) -> None:
        """Bounded by number and by size of each."""
        self._kept: OrderedDict[tuple[str, str], Reply] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, key: tuple[str, str]) -> Reply | None:
        """The last answer, most recently used last."""
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: tuple[str, str], reply: Reply) -> None:
        """Keep an answer that has an ETag and is small."""
        if "etag" not in reply.headers or len(reply.body) > _KEPT_BYTES:
            return
        with self._guard:
            self._kept[key] = reply
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


class GitHubClient:
    """Requests with the right credentials; a refused token is replaced once."""

    def __init__(self, transport: Transport, identity: AppIdentity, *, now: Callable[[], datetime]) -> None:
        """`identity` signs as the App."""
        self.transport = transport
        self._identity = identity
        self._etags = EtagCache()
        self.tokens = InstallationTokens(self._fetch_token, now=now)

    def as_app(self, method: str, path: str, **how: Any) -> Reply:
        """A request of the App itself."""
        authorization = f"Bearer {self._identity.token()}"
        return self.transport.send(method, path, authorization=authorization, bucket="app", **how)

    def as_installation(self, installation_id: int, method: str, path: str, **how: Any) -> Reply:
        """A request of the App in one installation."""
        try:
            return self._with_token(installation_id, method, path, **how)
        except UnauthorizedError:
            # Revoked or expired before its time; a second refusal is not about the token.
            return self._with_token(installation_id, method, path, **how)

    def _with_token(self, installation_id: int, method: str, path: str, **how: Any) -> Reply:
        token = self.tokens.get(installation_id)
        try:
            return self.transport.send(
                method, path, authorization=f"Bearer {token}", bucket=f"installation {installation_id}", **how
            )
        except UnauthorizedError:
            self.tokens.drop(installation_id, token)
            raise

    def get(self, installation_id: int, path: str, params: Mapping[str, Any] | None = None) -> Reply:
        """A conditional GET in an installation."""
        key = (str(installation_id), f"{path}?{sorted((params or {}).items())}")
        known = self._etags.get(key)
        etag = known.headers["etag"] if known else ""
        reply = self.as_installation(installation_id, "GET", path, params=params, etag=etag)
        if reply.status == _NOT_MODIFIED and known is not None:
            return known
        self._etags.put(key, reply)
        return reply

    def pages(
        self, installation_id: int, path: str, params: Mapping[str, Any] | None = None
    ) -> Iterator[Reply]:
        """Every page of a list in an installation, by `Link: rel=next` only."""
        return self._follow(path, params, lambda at, query: self.get(installation_id, at, query))

    def app_pages(self, path: str, params: Mapping[str, Any] | None = None) -> Iterator[Reply]:
        """Every page of one of the App's own lists."""
        return self._follow(path, params, lambda at, query: self.as_app("GET", at, params=query))

    def _follow(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        fetch: Callable[[str, Mapping[str, Any] | None], Reply],
    ) -> Iterator[Reply]:
        query: Mapping[str, Any] | None = {"per_page": PER_PAGE, **(params or {})}
        at = path
        for _ in range(MAX_PAGES):
            reply = fetch(at, query)
            yield reply
            following = next_link(reply.headers.get("link", ""))
            if following is None:
                return
            at, query = following, None
            if not self.transport.config.same_host(at):
                raise ForgeError("GitHub's next page lies on another host; it is not followed.")

    def _fetch_token(self, installation_id: int) -> object:
        path = f"/app/installations/{installation_id}/access_tokens"
        try:
            return self.as_app("POST", path, body={}).data()
        except MissingError as error:
            raise SuspendedError("The App is not installed there any more.") from error


def next_link(header: str) -> str | None:
    """The address of the next page in a Link header."""
    for part in header.split(","):
        address, _, rest = part.partition(";")
        if 'rel="next"' in rest.replace(" ", ""):
            return address.strip().removeprefix("<").removesuffix(">")
    return None
