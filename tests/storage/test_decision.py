import pytest
from fakes.tenant import NOW, a_draft, a_project
from sqlalchemy import text

from core.tenancy import Person, Via
from storage import audit
from storage.decision import Decided, decisions
from storage.quarantine import add_quarantine

PIECES = [{"class": "retry_pass", "bucket": "alone", "chance": 0.9, "counts": True}]


@pytest.fixture
def project(database):
    return a_project(database)


@pytest.fixture
def asked(database, project):
    """A proposal, and what was said of it."""

    def ask(test_id, action="", **details):
        with database.begin() as tx:
            draft = a_draft(project, test_id, evidence={"pieces": PIECES, "history": ["long"] * 99})
            one = add_quarantine(tx, draft)
            if action:
                said = {"action": f"quarantine.{action}", "subject": one.name, "details": details}
                audit.record(tx, project, by=Person("alice", Via.SLACK), at=NOW, **said)
            return one

    return ask


def test_each_persons_word_comes_with_the_pieces_they_saw(database, project, asked):
    one, two = asked(1, "approved"), asked(2, "denied", real_bug=True)
    asked(3)
    asked(4, "approved", by_policy=True)
    with database.read() as tx:
        assert decisions(tx, project) == [
            Decided(one.name, approved=True, real_bug=False, pieces=PIECES),
            Decided(two.name, approved=False, real_bug=True, pieces=PIECES),
        ]


def test_evidence_without_pieces_teaches_nothing(database, project):
    with database.begin() as tx:
        one = add_quarantine(tx, a_draft(project, 1))
        said = {"action": "quarantine.approved", "subject": one.name, "details": {}}
        audit.record(tx, project, by=Person("alice", Via.SLACK), at=NOW, **said)
    with database.read() as tx:
        assert [told.pieces for told in decisions(tx, project)] == [[]]


def test_what_nobody_has_decided_is_not_read(database, project, asked):
    one, waiting = asked(1, "approved"), asked(2)
    if database.dialect != "sqlite":
        pytest.skip("PostgreSQL keeps no text that cannot be read as JSON")
    with database.begin() as tx:
        tx.execute(text(f"UPDATE quarantine SET evidence = 'unreadable' WHERE id = {waiting.id}"))
    with database.read() as tx:
        assert [told.name for told in decisions(tx, project)] == [one.name]
