import pytest
from fakes.tenant import NOW, a_project

from storage.organization import create_organization
from storage.project import create_project
from storage.sample import keep_sample, sample_of, samples

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
        assert samples(tx) == {project.id}


def test_a_person_keeps_one(database, project):
    with database.begin() as tx:
        keep_sample(tx, **ALICE, project_id=project.id)
        organization = create_organization(tx, "other", NOW)
        named = {"organization_id": organization.id, "repo": "sample/other", "default_branch": "main"}
        other = create_project(tx, **named, now=NOW)
        assert not keep_sample(tx, **ALICE, project_id=other.id)
