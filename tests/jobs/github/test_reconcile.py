import random
from datetime import timedelta

import pytest
from fakes.github_world import World, junit

from jobs.reconcile import heal_deliveries, reconcile_runs
from storage.database import Database
from storage.github import active_repositories, find_installation
from storage.result import get_runs
from storage.test_case import list_tests


@pytest.fixture
def repo(world):
    return world.github.repo("acme/web")


def finished(world, repo, failed=("b",), **facts):
    run = world.github.run(repo, **facts)
    world.github.upload(run, "junit", {"r.xml": junit(["a"], failed)})
    return run


def stored(world, repo):
    project = world.project(repo)
    runs, _ = world.read(get_runs, project.id, limit=200, offset=0) if project else ([], 0)
    return sorted((one.run.run_id, one.run.attempt, one.tally.failed) for one in runs)


def test_a_missed_delivery_is_replayed_from_githubs_log(world, repo):
    world.github.lost = lambda _guid: True
    run = finished(world, repo)
    assert world.github.completed(run) == 502
    world.now.skip(minutes=15)
    assert world.heals() == 1
    assert stored(world, repo) == [(str(run["id"]), 1, 1)]


def test_healing_again_heals_nothing(world, repo):
    world.github.lost = lambda _guid: True
    world.github.completed(finished(world, repo))
    world.now.skip(minutes=15)
    assert [world.heals(), world.heals()] == [1, 0]


def test_a_redelivery_of_a_healed_delivery_is_a_duplicate(world, repo):
    world.github.lost = lambda _guid: True
    run = finished(world, repo)
    world.github.completed(run, guid="g")
    world.now.skip(minutes=15)
    world.heals()
    world.github.lost = lambda _guid: False
    asked = len(world.github.requests)
    world.github.completed(run, guid="g")
    world.works()
    assert len(world.github.requests) == asked


def test_what_does_not_concern_us_is_not_fetched(world, repo):
    world.github.lost = lambda _guid: True
    for _ in range(250):
        world.github.deliver("check_suite", {"action": "requested", "check_suite": {}})
    world.now.skip(minutes=15)
    assert world.heals() == 0
    assert len(world.github.asked("GET /app/hook/deliveries$")) == 3
    assert not world.github.asked(r"GET /app/hook/deliveries/\d")


def test_a_fifth_of_all_deliveries_lost_is_as_none_lost(sqlite_url, tmp_path):
    found = []
    for share in (0.0, 0.2):
        path = tmp_path / f"{share}.db"
        path.write_bytes((tmp_path / "flakeguard.db").read_bytes())
        database = Database.open(f"sqlite:///{path}")
        world = World(database)
        found.append(_history(world, share))
        world.close()
        database.close()
    assert found[0] == found[1]
    assert len(found[0]) == 20


def _history(world, share):
    chance = random.Random(7)
    repo = world.github.repo("acme/web", repo_id=10)
    world.github.lost = lambda _guid: chance.random() < share
    for number in range(20):
        world.github.completed(finished(world, repo, ("b",) if number % 3 else (), id=5000 + number))
    world.works()
    world.now.skip(minutes=15)
    world.heals()
    return stored(world, repo)


def test_a_limit_while_healing_leaves_the_rest_for_the_next_time(world, repo):
    world.github.lost = lambda _guid: True
    for _ in range(3):
        world.github.completed(finished(world, repo))
    world.now.skip(minutes=15)
    world.github.fault(r"GET /app/hook/deliveries/\d", status=403, headers={"Retry-After": "60"})
    assert heal_deliveries(world.desk) == 0
    world.now.skip(minutes=15)
    world.heals()
    assert len(stored(world, repo)) == 3


def test_five_days_without_us_are_caught_up_from_the_list_of_runs(world, repo):
    world.github.completed(finished(world, repo))
    world.works()
    world.reconciles()
    for _ in range(5):
        world.now.skip(days=1)
        finished(world, repo)
    assert world.reconciles() == 5
    assert len(stored(world, repo)) == 6


def test_a_second_look_costs_nothing(world, repo):
    world.github.completed(finished(world, repo))
    world.works()
    reconcile_runs(world.desk)
    left, asked = world.github.remaining, len(world.github.asked("GET /repos"))
    reconcile_runs(world.desk)
    assert len(world.github.asked("GET /repos")) > asked
    assert world.github.remaining >= left - len(world.github.asked("GET /app/installations$"))


def test_an_attempt_known_by_webhook_is_not_collected_again(world, repo):
    world.github.completed(finished(world, repo))
    world.works()
    assert world.reconciles() == 0


def test_an_installation_never_heard_of_is_found(world):
    installation = world.github.install("fresh")
    world.github.repo("fresh/app", installation=installation)
    reconcile_runs(world.desk)
    assert [one.ref.full_name for one in world.read(active_repositories)] == ["fresh/app"]


def test_an_installation_that_is_gone_is_noticed(world, repo):
    world.github.completed(finished(world, repo))
    world.works()
    installation = world.github.installations.pop(repo["_installation"])
    reconcile_runs(world.desk)
    assert not world.read(find_installation, installation["id"]).live


def test_a_suspension_nobody_told_us_of_is_noticed(world, repo):
    world.github.completed(finished(world, repo))
    world.works()
    world.github.installations[repo["_installation"]]["suspended_at"] = "2026-01-01T00:00:00Z"
    reconcile_runs(world.desk)
    assert world.read(active_repositories) == []


def test_everything_twice_and_shuffled_is_the_same(world, repo):
    runs = [finished(world, repo, id=9000 + number) for number in range(6)]
    second = world.github.run(
        repo, id=9000, sha=runs[0]["head_sha"], started=world.now() + timedelta(seconds=1)
    )
    world.github.upload(second, "junit", {"r.xml": junit(["a", "b"])})
    told = [*runs, second] * 2
    random.Random(3).shuffle(told)
    for run in told:
        world.github.completed(run)
    world.works()
    assert len(stored(world, repo)) == 7
    assert world.read(list_tests, world.project(repo).id, limit=9, offset=0)[1] == 2
