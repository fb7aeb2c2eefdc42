from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from fakes.tenant import NOW

from storage import job_run

LEASE = timedelta(minutes=10)


def claims(database, period="monday", now=NOW, lease=LEASE):
    with database.begin() as tx:
        return job_run.claim(tx, "digest", period, now=now, lease_until=now + lease)


def finishes(database, period="monday", now=NOW):
    with database.begin() as tx:
        job_run.finish(tx, "digest", period, now=now)


def test_a_period_is_claimed_once_by_however_many(database):
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: claims(database), range(8))) == 1


def test_every_period_is_its_own(database):
    assert claims(database, "monday")
    assert claims(database, "tuesday")


def test_the_claim_of_a_dead_node_is_taken_over_once(database):
    claims(database)
    assert not claims(database, now=NOW + LEASE)
    later = NOW + LEASE + timedelta(seconds=1)
    assert claims(database, now=later)
    assert not claims(database, now=later)


def test_what_is_finished_is_never_taken_over(database):
    claims(database)
    finishes(database)
    assert not claims(database, now=NOW + 100 * LEASE)
    with database.read() as tx:
        assert job_run.finished(tx, "digest", "monday")
        assert not job_run.finished(tx, "digest", "tuesday")


def test_a_failed_period_may_be_tried_again_soon(database):
    claims(database)
    with database.begin() as tx:
        job_run.give_back(tx, "digest", "monday", until=NOW + timedelta(minutes=1))
    assert not claims(database, now=NOW + timedelta(seconds=59))
    assert claims(database, now=NOW + timedelta(seconds=61))


def test_old_claims_are_forgotten(database):
    claims(database)
    with database.begin() as tx:
        assert job_run.forget(tx, NOW) == 0
        assert job_run.forget(tx, NOW + timedelta(seconds=1)) == 1
