"""An organization with one project, as most storage tests need it."""

from datetime import UTC, datetime, timedelta

from core.quarantine import Quarantine, State
from core.tenancy import Via
from storage.organization import create_organization
from storage.project import create_project

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def a_project(database, repo="acme/web", organization="acme", now=NOW):
    with database.begin() as tx:
        owner = create_organization(tx, organization, now)
        return create_project(tx, organization_id=owner.id, repo=repo, default_branch="main", now=now)


def a_draft(project, test_id=5, **changes):
    values = {
        "id": 0,
        "project_id": project.id,
        "test_id": test_id,
        "state": State.PROPOSED,
        "version": 1,
        "proposed_by": "flakeguard",
        "proposed_via": Via.POLICY,
        "proposed_at": NOW,
        "lapses_at": NOW + timedelta(days=7),
        "ttl_days": 14,
        "needed": 1,
        "evidence": {"score": 0.97, "text": "\u2713 it flips"},
        "fingerprints": ("00ff",),
    }
    return Quarantine(**{**values, **changes})
