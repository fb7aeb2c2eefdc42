"""Secrets the server makes for itself."""

from results import NOW

from storage.secret import find_secret, keep_secret


def test_the_first_value_counts_whoever_comes_second(database):
    with database.begin() as tx:
        first = keep_secret(tx, "web", b"one", NOW)
    with database.begin() as tx:
        second = keep_secret(tx, "web", b"two", NOW)
        other = keep_secret(tx, "else", b"three", NOW)
    assert (first, second, other) == (b"one", b"one", b"three")


def test_before_anybody_made_it_there_is_none(database):
    with database.read() as tx:
        assert find_secret(tx, "web") is None
