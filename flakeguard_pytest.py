"""pytest plugin: failures of quarantined tests do not fail the session; they are shown as expected failures.

Switched on by `--flakeguard` or FLAKEGUARD_PYTEST=1; needs FLAKEGUARD_URL and FLAKEGUARD_TOKEN. When the list cannot
be read, nothing is quarantined and the session says so. Only the standard library and pytest are needed.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

TIMEOUT = 10.0
PAGE = 500
MOST_PAGES = 40
REASON = "quarantined by FlakeGuard"
"""FlakeGuard's reader of reports knows these words: such an expected failure goes on counting as a failure."""
_ON = frozenset({"1", "true", "yes", "on"})


def pytest_addoption(parser: pytest.Parser) -> None:
    """One switch."""
    group = parser.getgroup("flakeguard", "FlakeGuard: quarantined tests")
    group.addoption(
        "--flakeguard",
        action="store_true",
        help="failures of tests that FlakeGuard holds in quarantine do not fail the session",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Without the switch nothing of this exists."""
    wanted = config.getoption("--flakeguard") or _setting("FLAKEGUARD_PYTEST").lower() in _ON
    if not wanted:
        return
    # pytest-xdist: the controller asks, its workers are told.
    told = getattr(config, "workerinput", {}).get("flakeguard")
    quarantine = Quarantine(json.loads(told)) if told else Quarantine.ask()
    config.pluginmanager.register(quarantine, "flakeguard-quarantine")


class Quarantine:
    """The tests whose failures do not count in this session."""

    def __init__(self, entries: list[dict[str, Any]], trouble: str = "") -> None:
        """`entries` as the server lists them."""
        self._entries = entries
        self._names = {(entry["class"], entry["name"]): entry for entry in entries if _ours(entry)}
        self._trouble = trouble
        self._marked: dict[str, str] = {}
        self._failed: dict[str, str] = {}

    @classmethod
    def ask(cls) -> Quarantine:
        """Read the list once; safe when it cannot be read: then every failure counts."""
        url, token = _setting("FLAKEGUARD_URL"), _setting("FLAKEGUARD_TOKEN")
        if not url or not token:
            return cls([], "FLAKEGUARD_URL and FLAKEGUARD_TOKEN are not both set")
        try:
            return cls(_entries(url.rstrip("/"), token))
        except (OSError, ValueError, KeyError, TypeError) as error:
            return cls([], f"the list could not be read ({error})")

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of pytest-xdist."""
        node.workerinput["flakeguard"] = json.dumps(self._entries)

    def pytest_report_header(self) -> str:
        """Say what is in force."""
        if self._trouble:
            return f"flakeguard: nothing is quarantined: {self._trouble}"
        return f"flakeguard: {len(self._entries)} tests in quarantine"

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """A failure of a marked test is an expected one; a pass is a pass."""
        for item in items:
            entry = self._names.get(address(item.nodeid))
            if entry is not None:
                reason = f"{REASON} ({entry.get('proposal_id', '')})"
                self._marked[item.nodeid] = reason
                item.add_marker(pytest.mark.xfail(reason=reason, strict=False))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, None]:
        """Keep what failed beside the reason: the report must not lose it."""
        outcome = yield
        report = outcome.get_result()
        reason = self._marked.get(item.nodeid)
        if reason and call.excinfo is not None and getattr(report, "wasxfail", None) == reason:
            report.wasxfail = f"{reason}: {call.excinfo.exconly()[:2000]}"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember which quarantined tests failed."""
        told = getattr(report, "wasxfail", "")
        if report.skipped and told.startswith(REASON):
            self._failed[report.nodeid] = told.splitlines()[0]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """List them at the end."""
        if self._failed:
            terminalreporter.section("failed, but quarantined by FlakeGuard")
            for nodeid, told in sorted(self._failed.items()):
                terminalreporter.line(f"{nodeid}  {told[len(REASON) :].strip()[:200]}")


def address(nodeid: str) -> tuple[str, str]:
    """Class and name as pytest's JUnit report writes them, which is how FlakeGuard knows the test."""
    path, _, parameters = nodeid.partition("[")
    names = path.replace("/", ".").split("::")
    names[0] = names[0].removesuffix(".py")
    return ".".join(names[:-1]), names[-1] + (f"[{parameters}" if parameters else "")


def _ours(entry: Mapping[str, Any]) -> bool:
    """An entry of another matrix cell is not about this session."""
    variant = _setting("FLAKEGUARD_VARIANT")
    return not entry.get("variant") or entry["variant"] == variant


def _entries(url: str, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for _ in range(MOST_PAGES):
        page = _page(f"{url}/api/v1/quarantine?limit={PAGE}&offset={len(found)}", token)
        found += page["items"]
        if not page["items"] or len(found) >= page["total"]:
            break
    return found


def _page(address: str, token: str) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - the address is the operator's own setting
        address, headers={"Authorization": f"Bearer {token}", "User-Agent": "flakeguard-pytest"}
    )
    opener = urllib.request.build_opener(_NoRedirect())
    with opener.open(request, timeout=TIMEOUT) as response:
        page = json.loads(response.read(2**24))
    if not isinstance(page, dict):
        raise TypeError("the answer is not an object")
    return page


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another address."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def _setting(name: str) -> str:
    return os.environ.get(name, "").strip()  # noqa: TID251 - a plugin on its own, in other people's environments
