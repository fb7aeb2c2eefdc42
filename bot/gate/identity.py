"""A GitHub Actions job proves who it is, instead of holding a secret.

This file is also served to CI machines as part of `/gate.py`: only the standard library, only Python 3.9.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Mapping

from bot.gate.upload import NoRedirect, TroubleError

SECONDS = 15.0


def token_of_workflow(url: str, environ: Mapping[str, str]) -> str:
    """A token of a quarter of an hour for this very run; empty where the job may not ask for one."""
    ask = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL", "")
    right = environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")
    if not (url and ask and right):
        return ""
    server = url.rstrip("/")
    sign = "&" if "?" in ask else "?"
    identity = _answered(f"{ask}{sign}audience={urllib.parse.quote(server, safe='')}", right, "GET", "value")
    return _answered(f"{server}/api/v1/auth/github-oidc", identity, "POST", "token")


def _answered(address: str, bearer: str, method: str, name: str) -> str:
    request = urllib.request.Request(  # noqa: S310 - the runner's own address, or the operator's
        address,
        data=b"" if method == "POST" else None,
        headers={"Authorization": f"Bearer {bearer}", "User-Agent": "flakeguard-gate"},
        method=method,
    )
    try:
        with urllib.request.build_opener(NoRedirect()).open(request, timeout=SECONDS) as response:
            return str(json.loads(response.read(65536))[name])
    except urllib.error.HTTPError as error:
        raise TroubleError(f"the workflow's identity was refused with {error.code}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TroubleError(f"the workflow's identity could not be exchanged: {error}") from error
