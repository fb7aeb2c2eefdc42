"""What people type when they set FlakeGuard up, as it is kept."""

from fakes.shop import person

from core.tenancy import Role, Via
from jobs.enroll import enroll_project, give_role
from storage.approver import list_roles

OPERATOR = person("operator", via=Via.CLI)


def test_names_are_kept_without_the_white_space_around_them(small_shop):
    made = enroll_project(small_shop.desk, " acme/shop\n", by=OPERATOR, default_branch=" trunk ")
    give_role(small_shop.desk, made.id, " U1 ", Role.APPROVER, by=OPERATOR)
    assert (made.repo, made.default_branch) == ("acme/shop", "trunk")
    with small_shop.database.read() as tx:
        assert list(list_roles(tx, made.id)) == [("U1", Role.APPROVER)]
