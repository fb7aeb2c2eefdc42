import pytest
from fakes.tenant import NOW, a_project

from storage.organization import create_organization
from storage.project import create_project
from storage.sample import give_up_sample, keep_sample, sample_of, samples

ALICE = {"team": "T1", "user": "U1"}


@pytest.fixture
def project(database):
    return a_project(database)


def test_a_sample_is_one_persons(database, project):
    with database.begin() as tx:
        assert keep_sample(tx, **ALICE, project_id=project.id)
        assert sample_of(tx, **ALICE) == project.id
        assert sample_of(tx, team="T1", user="U2") is None
        assert sample_of(tx, team="T2", user="U1") is None


def test_a_person_keeps_one(database, project):
    with database.begin() as tx:
        keep_sample(tx, **ALICE, project_id=project.id)
        other = a_project_in(tx)
        assert not keep_sample(tx, **ALICE, project_id=other)


def test_one_that_was_given_up_stays_known_and_makes_room(database, project):
    with database.begin() as tx:
        keep_sample(tx, **ALICE, project_id=project.id)
        give_up_sample(tx, **ALICE, now=NOW)
        assert sample_of(tx, **ALICE) is None
        assert samples(tx) == {project.id}
        assert keep_sample(tx, **ALICE, project_id=a_project_in(tx))


def a_project_in(tx):
    organization = create_organization(tx, "other", NOW)
    return create_project(
        tx, organization_id=organization.id, repo="sample/other", default_branch="main", now=NOW
    ).id
