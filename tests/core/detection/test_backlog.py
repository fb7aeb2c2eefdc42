"""Passes of suspects are stored once a run, their own rows now and then; nothing gets lost between."""

from histories.ci import BAD, OK, Ci, failed
from hypothesis import given
from hypothesis import strategies as st

from core.backlog import RUNS_KEPT, Backlog
from core.engine import ProjectState
from core.ledger import Execution
from core.packing import Packer, Unpacker


class Stored:
    """What storage would hold after each dump."""

    def __init__(self) -> None:
        self.context, self.rows = b"", {}

    def take(self, state: ProjectState) -> int:
        dump = state.dirty()
        self.context = dump.context or self.context
        self.rows = {test: row for test, row in {**self.rows, **dump.suspects}.items() if row is not None}
        return len(dump.suspects)

    def load(self) -> ProjectState:
        return ProjectState.load(self.context, self.rows)


def followed(suspects: int) -> tuple[Ci, Stored]:
    """A project that follows so many tests, all of it stored."""
    ci, stored = Ci(), Stored()
    for test in range(suspects):
        ci.run(f"f{test}", failed(test, BAD, OK))
    stored.take(ci.state)
    return ci, stored


def test_a_run_writes_few_rows_of_many_suspects_that_pass():
    ci, stored = followed(96)
    written = []
    for number in range(4 * RUNS_KEPT):
        ci.run(f"g{number}", hours=0.1)
        written.append(stored.take(ci.state))
    assert max(written) <= 2 * 96 / RUNS_KEPT


def test_what_rows_do_not_hold_yet_is_read_from_the_context():
    ci, stored = followed(9)
    for number in range(2 * RUNS_KEPT):
        ci.run(f"g{number}", hours=0.1)
        stored.take(ci.state)
        assert learnt(stored.load()) == learnt(ci.state)


def test_many_runs_between_two_dumps_are_all_kept():
    ci, stored = followed(9)
    ci.greens(3 * RUNS_KEPT, hours=0.1)
    stored.take(ci.state)
    assert learnt(stored.load()) == learnt(ci.state)


def test_a_state_stored_before_there_was_a_backlog_is_read():
    ci, stored = followed(3)
    p = Packer()
    ci.state.surroundings.pack(p)
    assert learnt(ProjectState.load(p.bytes(), stored.rows)) == learnt(ci.state)


def test_a_suspect_whose_row_was_deleted_meanwhile_is_forgotten():
    ci, stored = followed(9)
    ci.run("g", hours=0.1)
    stored.take(ci.state)
    stored.rows = {test: row for test, row in stored.rows.items() if test != 4}
    ci.state = stored.load()
    for number in range(RUNS_KEPT):
        ci.run(f"h{number}", hours=0.1)
        stored.take(ci.state)
    assert stored.rows.keys() == set(range(9)) - {4}


def learnt(state: ProjectState):
    return {test: suspect.live for test, suspect in state.suspects.items()}


@given(st.lists(st.sets(st.integers(0, 40), max_size=9), max_size=40), st.integers(1, 12))
def test_every_pass_is_in_a_row_or_in_the_backlog(runs, dump_every):
    backlog, rows = Backlog(), dict.fromkeys(range(41), -1)
    for number, tests in enumerate(runs):
        backlog.note(Execution(number, number, 0, 0, 0, 0, 0, passed=True), sorted(tests))
        if number % dump_every == 0:
            due = backlog.due()
            rows.update(dict.fromkeys(due, number))
            backlog.forget(due)
            backlog.shorten()
    kept = {(test, passes.place.at) for passes in backlog.runs for test in passes.tests}
    assert all((test, at) in kept for at, tests in enumerate(runs) for test in tests if at > rows[test])


def test_a_backlog_reads_back_what_was_lacking():
    backlog, p = Backlog(), Packer()
    for number in range(1, 5):
        backlog.note(Execution(number, number, 0, 0, 0, 0, 0, passed=True), [number, 99])
    backlog.pack(p)
    assert Backlog.unpack(Unpacker(p.bytes())) == backlog
