"""Nouns as plain JSON data, the same for the REST API and the command line."""

from datetime import datetime
from typing import Any

from core.audit import AuditEvent
from core.quarantine import Quarantine, State
from core.run import Run
from core.tenancy import ApiToken, Organization, Project, Role
from storage.detection import Detection, StoredTransition
from storage.endpoint import Endpoint
from storage.result import Execution
from storage.test_case import TestCase
from storage.test_run import RunRecord
from storage.webhook import Message

View = dict[str, Any]

UNJUDGED = "healthy"
"""The state of a test that never failed: nothing is stored about it beyond its results."""


def when(at: datetime | None) -> str | None:
    """ISO 8601 with its offset."""
    return at.isoformat() if at else None


def organization_view(organization: Organization) -> View:
    """A tenant."""
    return {"organization_id": organization.id, "name": organization.name}


def project_view(project: Project) -> View:
    """A repository."""
    return {
        "project_id": project.id,
        "organization_id": project.organization_id,
        "repo": project.repo,
        "default_branch": project.default_branch,
        "github_id": project.github_id,
    }


def token_view(token: ApiToken) -> View:
    """A token without its secret, which nobody knows any more."""
    return {
        "token_id": token.id,
        "project_id": token.project_id,
        "scope": token.scope.value,
        "name": token.name,
        "created_at": when(token.created_at),
        "expires_at": when(token.expires_at),
        "revoked_at": when(token.revoked_at),
        "last_used_at": when(token.last_used_at),
    }


def role_view(user: str, role: Role) -> View:
    """What a person may do."""
    return {"user": user, "role": role.value}


def endpoint_view(endpoint: Endpoint) -> View:
    """A webhook without its secret."""
    return {
        "webhook_id": endpoint.id,
        "organization_id": endpoint.organization_id,
        "project_id": endpoint.project_id,
        "url": endpoint.url,
        "description": endpoint.description,
        "events": list(endpoint.events),
        "state": "disabled" if endpoint.off else "enabled",
        "disabled_by": endpoint.off or None,
        "created_at": when(endpoint.created_at),
        "last_delivered_at": when(endpoint.last_ok_at),
        "failing_since": when(endpoint.failing_since),
        "last_error": endpoint.error,
        "old_secret_until": when(endpoint.old_until),
    }


def message_view(message: Message) -> View:
    """One message to a webhook and how its last attempt ended."""
    return {
        "message_id": message.key,
        "type": message.type,
        "timestamp": when(message.at),
        "state": message.state,
        "attempts": message.tries,
        "last_attempt_at": when(message.tried_at),
        "next_attempt_at": when(message.due_at) if message.state == "pending" else None,
        "status": message.status,
        "error": message.error,
        "data": dict(message.data),
    }


def name_view(test: TestCase) -> View:
    """What names a test."""
    key = test.key
    return {
        "test_id": test.id,
        "suite": key.suite,
        "class": key.class_name,
        "name": key.name,
        "file": key.file,
        "variant": key.variant,
    }


def view_of_test(test: TestCase, detection: Detection | None) -> View:
    """A test and what is believed of it."""
    return {
        **name_view(test),
        **belief_view(test, detection),
        "owner": test.owner,
        "first_seen": when(test.first_seen),
        "last_seen": when(test.last_seen),
    }


def belief_view(test: TestCase, detection: Detection | None) -> View:
    """State, score and rate; a test that never failed has none to tell."""
    if detection is None:
        state = "retired" if test.retired else UNJUDGED
        return {
            "state": state,
            "score": 0.0,
            "rate": 0.0,
            "rate_interval": None,
            "confirmed": False,
            "last_failure": None,
        }
    return {
        "state": detection.state,
        "score": round(detection.score, 4),
        "rate": round(detection.rate, 6),
        "rate_interval": [round(detection.rate_low, 6), round(detection.rate_high, 6)],
        "confirmed": detection.confirmed,
        "last_failure": when(detection.last_failure),
    }


def transition_view(test: TestCase, transition: StoredTransition) -> View:
    """One change of verdict."""
    return {
        **name_view(test),
        "at": when(transition.at),
        "from": transition.before,
        "to": transition.after,
        "score": round(transition.score, 4),
        "confirmed": transition.confirmed,
    }


def run_view(record: RunRecord) -> View:
    """One stored run."""
    return {
        "id": record.run_pk,
        **identity_view(record.run),
        "trust": record.run.trust.value,
        "partial": record.run.partial,
        "infra": record.infra,
        "dialect": record.dialect,
        "warnings": list(record.warnings),
        "total": record.tally.total,
        "counts": record.tally.counts,
        "seconds": round(record.tally.seconds, 3),
        "received_at": when(record.received_at),
    }


def identity_view(run: Run) -> View:
    """Which run this is."""
    return {
        "run_id": run.run_id,
        "attempt": run.attempt,
        "job": run.job,
        "variant": run.variant,
        "commit": run.commit,
        "branch": run.branch,
        "base": run.base,
        "event": run.event,
        "pr": run.pr,
        "url": run.url,
        "at": when(run.at),
    }


def execution_view(execution: Execution) -> View:
    """One test in one run."""
    return {
        **identity_view(execution.run),
        "outcome": execution.outcome.value,
        "duration": execution.duration,
        "flaky": not execution.clean and not execution.outcome.bad,
        "attempts": [
            {"outcome": attempt.outcome.value, "duration": attempt.duration, "message": attempt.message}
            for attempt in execution.attempts
        ],
        "fingerprint": execution.fingerprint.hex() if execution.fingerprint else None,
        "message": execution.message,
    }


def quarantine_view(quarantine: Quarantine, test: TestCase | None) -> View:
    """A proposal and what became of it."""
    names = name_view(test) if test else {"test_id": quarantine.test_id}
    return {
        "proposal_id": quarantine.name,
        "state": quarantine.state.value,
        "version": quarantine.version,
        **names,
        "reason": quarantine.reason,
        "proposed_by": quarantine.proposed_by,
        "proposed_via": quarantine.proposed_via.value,
        "proposed_at": when(quarantine.proposed_at),
        "lapses_at": when(quarantine.lapses_at) if quarantine.state is State.PROPOSED else None,
        "ttl_days": quarantine.ttl_days,
        "approvals": [vote.user for vote in quarantine.votes],
        "approvals_needed": quarantine.needed,
        "decided_by": quarantine.decided_by,
        "decided_via": quarantine.decided_via.value if quarantine.decided_via else None,
        "decided_at": when(quarantine.decided_at),
        "decision_reason": quarantine.decision_reason,
        "until": when(quarantine.until),
        "renewals": quarantine.renewals,
        "ended_at": when(quarantine.ended_at),
        "score": quarantine.evidence.get("score"),
    }


def entry_view(quarantine: Quarantine, test: TestCase) -> View:
    """What CI needs to know about a test in quarantine."""
    return {
        **name_view(test),
        "proposal_id": quarantine.name,
        "state": quarantine.state.value,
        "reason": quarantine.reason,
        "since": when(quarantine.decided_at),
        "until": when(quarantine.until),
        "approved_by": quarantine.decided_by,
    }


def audit_view(event: AuditEvent) -> View:
    """One event with its place in the chain."""
    return {
        "seq": event.seq,
        "at": when(event.at),
        "actor": event.actor,
        "via": event.via,
        "action": event.action,
        "subject": event.subject,
        "project_id": event.project_id,
        "details": event.details or {},
        "previous": event.previous,
        "hash": event.hash,
    }
