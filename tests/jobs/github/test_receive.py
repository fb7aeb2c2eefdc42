from concurrent.futures import ThreadPoolExecutor

import pytest
from fakes.github_world import junit

from jobs.receive import process_delivery
from storage.delivery import due, inbox_backlog, state_of_guid
from storage.result import get_runs


@pytest.fixture
def world_url(database_url):
    return database_url


@pytest.fixture
def repo(world):
    return world.github.repo("acme/web")


@pytest.fixture
def run(world, repo):
    run = world.github.run(repo)
    world.github.upload(run, "junit", {"r.xml": junit(["a"], ["b"])})
    return run


def stored(world, repo):
    return len(world.read(get_runs, world.project(repo).id, limit=9, offset=0)[0])


def state(world, guid="g"):
    return world.read(state_of_guid, guid)[1]


def test_a_redelivery_of_a_failed_delivery_is_worked_on_again(world, repo, run):
    world.github.fault("GET .*/artifacts", times=4, status=404, body={"message": "Not Found"})
    world.github.completed(run, guid="g")
    world.works()
    assert state(world) == "failed"
    world.github.completed(run, guid="g")
    world.works()
    assert state(world) == "done"
    assert stored(world, repo) == 1


def test_a_redelivery_of_a_done_delivery_changes_nothing(world, repo, run):
    world.github.completed(run, guid="g")
    world.works()
    asked = len(world.github.requests)
    assert world.github.completed(run, guid="g") == 202
    world.works()
    assert len(world.github.requests) == asked


def test_work_of_a_dead_node_is_taken_over_after_its_lease(world, repo, run, monkeypatch):
    world.github.completed(run, guid="g")

    def die(*_args, **_how):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("jobs.collect.deal_with", die)
        (one,) = world.read(due, world.now())
        with pytest.raises(SystemExit):
            process_delivery(world.desk, one)
    assert state(world) == "processing"
    world.works_now()
    assert state(world) == "processing"
    world.now.skip(seconds=world.desk.lease.total_seconds() + 1)
    world.works_now()
    assert state(world) == "done"
    assert stored(world, repo) == 1


def test_a_crash_after_ingesting_doubles_nothing(world, repo, run, monkeypatch):
    world.github.completed(run, guid="g")

    def die(*_args, **_how):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("storage.workflow_run.put_artifact", die)
        (one,) = world.read(due, world.now())
        with pytest.raises(SystemExit):
            process_delivery(world.desk, one)
    assert stored(world, repo) == 1
    world.works()
    assert stored(world, repo) == 1
    assert len(world.github.checks) == 1


def test_two_nodes_work_on_one_delivery_once(world, run):
    world.github.completed(run)
    (one,) = world.read(due, world.now())
    with ThreadPoolExecutor(8) as pool:
        worked = list(pool.map(lambda _: process_delivery(world.desk, one), range(8)))
    assert sorted(worked) == [False] * 7 + [True]


def test_a_node_that_lost_its_lease_writes_nothing_more(world, run, monkeypatch):
    world.github.completed(run, guid="g")
    (one,) = world.read(due, world.now())
    taken = []

    def slow(*_args, **_how):
        if not taken:
            taken.append(1)
            world.now.skip(minutes=5)
            assert process_delivery(world.desk, one)

    monkeypatch.setattr("jobs.harvest.peek_metadata", slow)
    process_delivery(world.desk, one)
    assert state(world) == "done"


def test_a_payload_that_lacks_what_is_needed_is_kept_and_not_tried_in_vain(world, repo, run):
    broken = {"action": "completed", "workflow_run": {"id": 1}, "repository": {"id": 2}}
    world.github.deliver("workflow_run", broken, guid="g")
    world.works()
    assert state(world) == "failed"
    assert world.read(inbox_backlog, world.now())[0] == 0


def test_no_secret_is_ever_logged(world, repo, run, capsys):
    world.github.fault("GET .*/artifacts", status=401, body={"message": "Bad credentials"})
    world.github.fault("GET .*/zip", times=2, status=500)
    world.github.completed(run)
    world.works()
    told = capsys.readouterr()
    logged = told.out + told.err
    assert "webhook.filed" in logged
    for token in world.github.tokens:
        assert token not in logged
    assert "ghs_" not in logged
    assert "PRIVATE KEY" not in logged
    assert world.github.secret not in logged
    assert "eyJ" not in logged


def test_a_storm_of_limits_sends_few_requests(world, repo):
    for _ in range(10):
        run = world.github.run(repo)
        world.github.upload(run, "junit", {"r.xml": junit(["a"])})
        world.github.completed(run)
    world.github.fault("GET /repos", times=10_000, status=403, headers={"Retry-After": "60"})
    for _ in range(20):
        world.works_now()
        world.now.skip(seconds=1)
    # Up to four workers may have been on their way when the first refusal came back.
    assert len(world.github.asked("GET /repos")) <= 4
