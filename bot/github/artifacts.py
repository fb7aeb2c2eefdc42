"""Download an artifact: a redirect to a blob store, followed by hand, without our token, into a temporary file."""

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import httpx
import structlog

from bot.github.config import GitHubConfig
from bot.github.transport import USER_AGENT
from core.errors import ForgeError
from core.github.artifact import Artifact
from core.limits import DEFAULT, MIB
from jobs.forge import GoneError, UnfitError

log = structlog.get_logger()

_TRIES = 3
_SECONDS = 180.0
"""A download that takes longer is given up; the work is tried again later."""
_IN_MEMORY = MIB


class Downloads:
    """Fetches the bytes behind an artifact's short-lived address."""

    def __init__(
        self, config: GitHubConfig, http: httpx.Client, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """`http` never follows redirects by itself."""
        self._config = config
        self._http = http
        self._sleep = sleep
        self.bytes_read = 0

    @contextmanager
    def open(self, artifact: Artifact, address: Callable[[], str]) -> Iterator[BinaryIO]:
        """The verified content; `address` asks GitHub for a fresh address, good for a minute."""
        if artifact.size > DEFAULT.wire_bytes:
            raise UnfitError(f"The artifact has {artifact.size:,} bytes, more than the limits allow.")
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
            self._fetch(artifact, address, file)  # type: ignore[arg-type]  # a spooled file is a binary file
            file.seek(0)
            yield file  # type: ignore[misc]

    def _fetch(self, artifact: Artifact, address: Callable[[], str], file: BinaryIO) -> None:
        for attempt in range(1, _TRIES + 1):
            file.seek(0)
            file.truncate()
            try:
                digest = self._stream(self._checked(address()), file)
            except (httpx.TransportError, _ExpiredError) as error:
                if attempt == _TRIES:
                    raise ForgeError(
                        f"The artifact could not be downloaded ({type(error).__name__})."
                    ) from error
                self._sleep(0.2 * 2**attempt)
            else:
                _verify(artifact, digest)
                return

    def _checked(self, url: str) -> str:
        """Only the hosts of GitHub's blob store: the address comes from outside."""
        if not self._config.blob_allowed(url):
            raise UnfitError(f"The artifact lies on a host that is not GitHub's: {urlsplit(url).hostname}.")
        return url

    def _stream(self, url: str, file: BinaryIO) -> str:
        """Write the body to the file; answers its SHA-256. The address is signed, so our token stays here."""
        digest, ends = hashlib.sha256(), time.monotonic() + _SECONDS
        with self._http.stream("GET", url, headers={"user-agent": USER_AGENT}) as response:
            if response.is_redirect:
                raise UnfitError("The blob store sent the download on to somewhere else.")
            if response.status_code in {403, 404, 429} or response.status_code >= 500:  # noqa: PLR2004 - server errors
                raise _ExpiredError(f"The blob store answered {response.status_code}.")
            if response.status_code == 410:  # noqa: PLR2004 - Gone
                raise GoneError("The artifact has expired.")
            if not response.is_success:
                raise ForgeError(f"The blob store answered {response.status_code}.")
            taken = 0
            for chunk in response.iter_raw():
                taken += len(chunk)
                if taken > DEFAULT.wire_bytes or time.monotonic() > ends:
                    raise UnfitError("The artifact is larger, or takes longer, than the limits allow.")
                digest.update(chunk)
                file.write(chunk)
        self.bytes_read += taken
        return digest.hexdigest()


class _ExpiredError(ForgeError):
    """The address was good for a minute only, or the blob store is busy: a fresh one may do."""


def _verify(artifact: Artifact, digest: str) -> None:
    kind, _, told = artifact.digest.partition(":")
    if kind == "sha256" and told.lower() != digest:
        raise UnfitError("The artifact's content does not fit its digest.")


def location_of(base: str, location: str) -> str:
    """The redirect's target as an absolute address."""
    return urljoin(base, location)
