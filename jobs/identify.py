"""Identify: a verified workflow run gets an API token of a quarter of an hour, bound to that very run."""

from dataclasses import dataclass
from datetime import timedelta

from core.errors import AuthenticationError, NotFoundError
from core.github.identity import Identity, fields_of, scope_of
from core.tenancy import ApiToken, Person, Project, Via
from jobs.desk import Desk
from jobs.enroll import issue_token
from storage import oidc
from storage.database import Tx
from storage.github import account_of_repository
from storage.project import find_project_by_github_id

LIFETIME = timedelta(minutes=15)
_REMEMBERED = timedelta(seconds=60)
"""How long after its end a used identity token is still known: leeway and a little more."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The token, shown once."""

    raw: str
    token: ApiToken
    lifetime: timedelta = LIFETIME


def identify(desk: Desk, identity: Identity, *, randomness: bytes) -> Grant:
    """Exchange it. AuthenticationError when it was used before, NotFoundError for a repository not here."""
    with desk.database.begin() as tx:
        project = _project(tx, identity)
        if not oidc.use_jti(
            tx,
            identity.jti,
            claims=fields_of(identity),
            expires_at=max(identity.expires_at, desk.now() + LIFETIME) + _REMEMBERED,
        ):
            raise AuthenticationError("This identity token has been used before; ask for a new one.")
    issued = issue_token(
        desk,
        project.id,
        scope_of(identity, project.default_branch),
        by=Person(user="github-actions", via=Via.GITHUB, detail=f"run {identity.run_id}"),
        randomness=randomness,
        name=f"actions run {identity.run_id} attempt {identity.attempt}",
        lifetime=LIFETIME,
    )
    with desk.database.begin() as tx:
        oidc.bind_token(tx, identity.jti, issued.token.id)
    return Grant(issued.raw, issued.token)


def _project(tx: Tx, identity: Identity) -> Project:
    """By the repository's and its owner's numeric ids: a name may by now be somebody else's."""
    project = find_project_by_github_id(tx, identity.repository_id)
    owner = account_of_repository(tx, identity.repository_id)
    if project is None or owner not in {None, identity.owner_id}:
        raise NotFoundError("This repository is not known here; install the GitHub App in it.")
    return project
