"""Accounts, repositories and installations: GitHub's numeric ids are identity, names are labels."""

import re
from dataclasses import dataclass
from datetime import datetime

from core.github import fields

_FULL_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True, slots=True)
class Account:
    """An organization or user that owns repositories."""

    id: int
    login: str
    kind: str = "Organization"


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository; `default_branch` is empty where the payload is the short form."""

    id: int
    full_name: str
    default_branch: str = ""
    private: bool = False
    owner: Account | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Installation:
    """Our App in one account."""

    id: int
    account: Account | None = None
    permissions: tuple[tuple[str, str], ...] = ()
    suspended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RepositoryRef:
    """All that a call to GitHub needs to know about a repository."""

    installation_id: int
    repository_id: int
    full_name: str


def read_account(data: object) -> Account | None:
    """An account, or None when there is no usable one."""
    account_id, login = fields.number(data, "id"), fields.text(data, "login")
    if account_id is None or not login:
        return None
    return Account(id=account_id, login=login, kind=fields.text(data, "type") or "Organization")


def read_repository(data: object) -> Repository:
    """A repository from a webhook (long or short form) or the REST API."""
    return Repository(
        id=fields.need_number(data, "id"),
        full_name=full_name(fields.need_text(data, "full_name")),
        default_branch=fields.text(data, "default_branch"),
        private=fields.flag(data, "private"),
        owner=read_account(fields.dig(data, "owner")),
        archived=fields.flag(data, "archived"),
    )


def full_name(value: str) -> str:
    """OWNER/NAME as it goes into addresses; anything else could point a request somewhere else."""
    if not _FULL_NAME.fullmatch(value) or {".", ".."} & set(value.split("/")):
        raise fields.PayloadError("GitHub's payload has a repository name that is not OWNER/NAME.")
    return value


def read_installation(data: object) -> Installation:
    """An installation; in most webhooks only its id is there."""
    permissions = fields.dig(data, "permissions")
    granted = permissions.items() if isinstance(permissions, dict) else ()
    return Installation(
        id=fields.need_number(data, "id"),
        account=read_account(fields.dig(data, "account")),
        permissions=tuple(sorted((str(name), str(level)) for name, level in granted)),
        suspended_at=fields.moment(data, "suspended_at"),
    )
