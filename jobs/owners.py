"""Owners: whose test is it? CODEOWNERS of the default branch, read through the forge.

Once a day for all, and soon for repositories in which new tests have appeared.
"""

from datetime import timedelta

import structlog

from core.codeowners import MOST_BYTES, PLACES, CodeOwners, parse
from core.errors import ForgeError
from core.github.repository import RepositoryRef
from jobs.desk import Desk
from jobs.forge import Forge
from storage.github import active_repositories
from storage.test_case import TestCase, list_tests, ownerless_since, set_owner

log = structlog.get_logger(__name__)

PAGE = 1000
NEW = timedelta(hours=2)
"""Some tests have no owner: they are asked about while they are new, not for ever."""


def refresh_owners(desk: Desk) -> int:
    """Every repository the forge lets us read; answers how many tests changed hands."""
    if desk.forge is None:
        return 0
    with desk.database.read() as tx:
        known = active_repositories(tx)
    return sum(_refresh(desk, desk.forge, one.project_id, one.ref) for one in known)


def own_new_tests(desk: Desk) -> int:
    """The same only for repositories with tests of the last hours that nobody owns yet."""
    if desk.forge is None:
        return 0
    since = desk.now() - NEW
    with desk.database.read() as tx:
        known = [one for one in active_repositories(tx) if ownerless_since(tx, one.project_id, since)]
    return sum(_refresh(desk, desk.forge, one.project_id, one.ref) for one in known)


def _refresh(desk: Desk, forge: Forge, project_id: int, ref: RepositoryRef) -> int:
    try:
        text = _codeowners(forge, ref)
    except ForgeError as error:  # tomorrow is another day; until then the owners stay who they were
        log.warning("owners.unread", repo=ref.full_name, error=error.message)
        return 0
    if text is None:
        return 0
    changed = assign_owners(desk, project_id, parse(text))
    log.info("owners.read", repo=ref.full_name, changed=changed)
    return changed


def _codeowners(forge: Forge, ref: RepositoryRef) -> str | None:
    for path in PLACES:
        content = forge.file(ref, path)
        if content is not None and len(content) <= MOST_BYTES:
            return content.decode("utf-8", "replace")
    return None


def assign_owners(desk: Desk, project_id: int, owners: CodeOwners) -> int:
    """Give each test the owners of its file, a page at a time; answers how many changed."""
    changed = offset = 0
    while True:
        with desk.database.read() as tx:
            page, total = list_tests(tx, project_id, limit=PAGE, offset=offset)
        news = [(test, owner) for test in page if (owner := _owner(owners, test)) != test.owner]
        if news:
            with desk.database.begin() as tx:
                for test, owner in news:
                    set_owner(tx, project_id, test.id, owner)
        changed, offset = changed + len(news), offset + PAGE
        if offset >= total:
            return changed


def _owner(owners: CodeOwners, test: TestCase) -> str:
    return " ".join(owners.of(test.key.file))
