import pytest

from core.codeowners import parse
from core.errors import ForgeError
from core.github.repository import Installation, Repository
from jobs.owners import assign_owners, own_new_tests, refresh_owners
from storage.github import link_repository, put_installation
from storage.test_case import get_test


class Files:
    """A forge of which only the files are asked."""

    def __init__(self, **files):
        self.files = files

    def file(self, _repo, path, _ref=""):
        content = self.files.get(path)
        if isinstance(content, Exception):
            raise content
        return content


@pytest.fixture
def reads(small_shop):
    """The shop's repository with these files; gives the owner of test_login afterwards."""
    small_shop.uploads(test_login="passed")
    with small_shop.database.begin() as tx:
        put_installation(tx, Installation(9), now=small_shop.clock())
        link_repository(tx, small_shop.project.id, Repository(7, "acme/web"), 9)

    def read(**files):
        object.__setattr__(small_shop.desk, "forge", Files(**files))
        refresh_owners(small_shop.desk)
        return owner(small_shop)

    return read


def owner(shop):
    with shop.database.read() as tx:
        return get_test(tx, shop.project.id, shop.test_id("test_login")).owner


def test_a_test_belongs_to_whom_its_file_belongs(reads):
    assert reads(CODEOWNERS=b"* @acme/all\ntests/test_login.py @acme/web @alice\n") == "@acme/web @alice"


def test_the_first_place_that_has_a_file_counts(reads):
    assert reads(**{"CODEOWNERS": b"* @second", ".github/CODEOWNERS": b"* @first"}) == "@first"


def test_owners_change_with_the_file(reads):
    reads(CODEOWNERS=b"* @before")
    assert reads(CODEOWNERS=b"docs/ @after") == ""


def test_a_new_tests_owner_is_known_soon(reads, small_shop):
    reads(CODEOWNERS=b"* @before")
    small_shop.clock.pass_(hours=3)
    assert own_new_tests(small_shop.desk) == 0
    small_shop.uploads(test_fresh="passed")
    assert own_new_tests(small_shop.desk) == 1


@pytest.mark.parametrize("files", [{}, {".github/CODEOWNERS": ForgeError("down")}])
def test_what_cannot_be_read_changes_nobody(reads, files):
    reads(CODEOWNERS=b"* @before")
    assert reads(**files) == "@before"


def test_bytes_that_are_no_text_stop_nothing(reads):
    assert reads(CODEOWNERS=b"\xff\xfe * @x\n* @acme\n") == "@acme"


def test_only_what_changed_is_written(small_shop):
    small_shop.uploads(test_login="passed")
    owners = parse("* @acme")
    assert assign_owners(small_shop.desk, small_shop.project.id, owners) == 61
    assert assign_owners(small_shop.desk, small_shop.project.id, owners) == 0


def test_without_a_forge_there_is_nothing_to_read(small_shop):
    assert refresh_owners(small_shop.desk) == 0
