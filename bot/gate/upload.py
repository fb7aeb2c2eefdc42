"""Finds the reports of a CI step and hands them to the server.

This file is also served to CI machines as part of `/gate.py`: only the standard library, only Python 3.9.
"""

from __future__ import annotations

import glob
import io
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

RETRIED = frozenset({429, 500, 502, 503, 504})
PAUSES = (1.0, 2.0, 4.0, 8.0)
MOST_ANSWER = 64 * 2**20
MOST_FILES = 2000


class TroubleError(Exception):
    """The service gave no verdict; the message says why, and the step's own exit code stands."""


class Found(NamedTuple):
    """Report files of this step, and older ones that were left alone."""

    fresh: list[str]
    stale: list[str]


Stamps = Mapping[str, tuple[int, int, int]]
"""What tells a file that was written again: its number, time and size."""


def stamps(patterns: Sequence[str]) -> Stamps:
    """The files that fit the patterns now."""
    return {name: _stamp(name) for pattern in patterns for name in _matching(pattern)}


def _stamp(name: str) -> tuple[int, int, int]:
    found = Path(name).stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def find_reports(patterns: Sequence[str], *, before: Stamps | None = None) -> Found:
    """Files that fit the patterns; with `before`, only those new or changed since."""
    now = stamps(patterns)
    fresh = sorted(name for name, stamp in now.items() if before is None or before.get(name) != stamp)
    return Found(fresh, sorted(set(now) - set(fresh)))


def _matching(pattern: str) -> Iterator[str]:
    place = Path(pattern).expanduser()
    if place.is_file():
        yield str(place)
        return
    # Path.glob knows no absolute patterns.
    wanted = place / "**" / "*.xml" if place.is_dir() else place
    for name in glob.iglob(str(wanted), recursive=True):  # noqa: PTH207 - see above
        if Path(name).is_file():
            yield name


def packed(files: Sequence[str]) -> bytes:
    """All files as one zip; the server reads them as one run."""
    if len(files) > MOST_FILES:
        raise TroubleError(f"{len(files)} report files are more than {MOST_FILES}; give a narrower pattern")
    memory = io.BytesIO()
    try:
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, name in enumerate(files):
                archive.writestr(_entry(name, number), _content(name))
    except OSError as error:
        raise TroubleError(f"a report could not be read: {error}") from error
    return memory.getvalue()


def _entry(name: str, number: int) -> str:
    """A name that shows where the file came from and is never twice in one archive."""
    plain = name.replace("\\", "/").lstrip("./").replace("../", "")
    return plain if plain.endswith((".xml", ".json")) else f"{plain}-{number}.xml"


def _content(name: str) -> bytes:
    return Path(name).read_bytes()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another address."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class Server:
    """A FlakeGuard server as CI sees it."""

    def __init__(self, url: str, token: str, *, seconds: float) -> None:
        """`seconds`: how long the whole conversation may take, tries again included."""
        self._url = url.rstrip("/")
        self._token = token
        self._deadline = time.monotonic() + seconds
        self._opener = urllib.request.build_opener(NoRedirect())

    def ingest(self, fields: Mapping[str, str], files: Sequence[str]) -> dict[str, Any]:
        """Upload the reports of one run; the answer holds the verdict of every failure as of now."""
        if not self._url.startswith(("http://", "https://")):
            raise TroubleError(
                f"the server's address must begin with https:// or http://, not {self._url[:80]!r}"
            )
        query = urllib.parse.urlencode({**fields, "gate": "1"})
        body = packed(files)
        return self._tried(f"{self._url}/api/v1/ingestion/junit?{query}", body)

    def _tried(self, address: str, body: bytes) -> dict[str, Any]:
        """Tries again after what may pass; a run that arrived twice is stored once."""
        for pause in (*PAUSES, None):
            try:
                return self._posted(address, body)
            except urllib.error.HTTPError as error:
                trouble, wait = _refusal(error), _asked_to_wait(error)
                final = error.code not in RETRIED
            except (OSError, ValueError) as error:
                trouble, wait, final = f"the service is unreachable ({_reason(error)})", 0.0, False
            if final or pause is None or self._left() <= max(pause, wait):
                raise TroubleError(trouble)
            time.sleep(max(pause, wait))
        raise AssertionError

    def _left(self) -> float:
        return self._deadline - time.monotonic()

    def _posted(self, address: str, body: bytes) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - the address is the operator's own setting
            address,
            data=body,
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/zip",
                "User-Agent": "flakeguard-gate",
            },
            method="POST",
        )
        with self._opener.open(request, timeout=max(1.0, self._left())) as response:
            answer = json.loads(response.read(MOST_ANSWER))
        if not isinstance(answer, dict):
            raise TypeError("the answer is not an object")
        return answer


def _refusal(error: urllib.error.HTTPError) -> str:
    try:
        detail = str(json.loads(error.read(65536)).get("detail", ""))
    except (ValueError, OSError, AttributeError):
        detail = ""
    if error.code == 409:  # noqa: PLR2004 - Conflict
        detail += " Two uploads of one job need their own --job or --variant."
    return f"the service refused with {error.code}: {detail or error.reason}"


def _asked_to_wait(error: urllib.error.HTTPError) -> float:
    text = error.headers.get("Retry-After", "") if error.headers else ""
    return float(text) if text.isdecimal() else 0.0


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", error)) or type(error).__name__
