"""The fast path (cutter and rows) equals the plain path (the parser alone), however the bytes arrive."""

from collections import deque
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples.documents import reports

from core.junit import ReportError, read_report, stream_report
from core.junit.assembly import whole
from core.junit.blocks import naming_of
from core.junit.dialects import recognise
from core.junit.document import parser_for
from core.junit.reading import ReportStream, of_one_run
from core.junit.repair import Repair
from core.junit.walker import Walker
from core.limits import DEFAULT, Limits


class Dribble(BytesIO):
    """A socket that never gives as much as asked for."""

    def __init__(self, data, step):
        super().__init__(data)
        self._step = step

    def read(self, size=-1, /):
        return super().read(min(size, self._step) if size >= 0 else -1)


class Counted(BytesIO):
    """Knows how often it was read from its beginning."""

    beginnings = 0

    def read(self, size=-1, /):
        self.beginnings += self.tell() == 0
        return super().read(size)


class Plain(Walker):
    """Without a cutter in front, instructions are the document's own."""

    def pi(self, target, data=None):
        pass


def plain(data: bytes, limits: Limits = DEFAULT):
    walker = Plain(name="", limits=limits, rows=deque())
    parser = parser_for(walker)
    parser.feed(Repair().mend(data))
    parser.close()
    dialect = of_one_run(recognise(walker.evidence), walker.evidence)
    naming = naming_of(dialect, variant="", limits=limits)
    return tuple(whole(list(naming.batches(walker.items)), dialect.repeats, lambda _: None)), tuple(
        naming.errors
    )


@settings(max_examples=100, deadline=None)
@given(reports())
def test_the_fast_path_equals_the_plain_path(data):
    cases, errors = plain(data)
    report = read_report(data)
    assert report.cases == cases
    assert set(errors) <= set(report.suite_errors)
    assert not report.partial


@settings(max_examples=50, deadline=None)
@given(reports(), st.integers(1, 80))
def test_no_chunking_changes_the_report(data, step):
    stream = stream_report(Dribble(data, step))
    report = read_report(data)
    assert tuple(stream) == report.cases
    assert stream.suite_errors == report.suite_errors


@settings(max_examples=50, deadline=None)
@given(reports(), st.integers(1, 80))
def test_no_chunking_changes_the_line_of_an_error(data, step):
    good, end = data[: data.rindex(b"</testsuites>")], b"</testsuites>"
    line = good.count(b"\n") + 2
    for source in (good + b"\n<a>&b;</a>" + end, Dribble(good + b"\n<a>&b;</a>" + end, step)):
        with pytest.raises(ReportError, match="not well-formed") as refused:
            list(stream_report(source))
        assert refused.value.line == line


@settings(max_examples=50, deadline=None)
@given(reports(), st.integers(1, 6))
def test_two_passes_find_the_same_cases(data, held):
    stream = ReportStream(BytesIO(data), name="", limits=DEFAULT, variant="", held=held)
    report = read_report(data)
    assert {case.key: case for case in stream} == {case.key: case for case in report.cases}
    assert _told(stream.warnings) == _told(report.warnings)


@pytest.mark.parametrize(("characters", "times_read"), [(0, 1), (4000, 2)])
def test_long_messages_are_read_twice_instead_of_held(characters, times_read):
    failure = f"<failure>{'x' * characters}</failure>"
    cases = "".join(f'<testcase name="t{n}">{failure}</testcase>' for n in range(200))
    source = Counted(f"<testsuite>{cases}</testsuite>".encode())
    assert len(list(ReportStream(source, name="", limits=DEFAULT, variant="", held=300))) == 200
    assert source.beginnings == times_read


@settings(max_examples=50, deadline=None)
@given(reports(), st.data())
def test_a_file_cut_anywhere_is_partial_or_refused_but_never_whole(data, pick):
    end = data.rindex(b"</testsuites>")
    cut = data[: pick.draw(st.integers(0, end))]
    try:
        report = read_report(cut)
    except ReportError:
        return
    assert report.partial
    whole_names = {case.key for case in read_report(data).cases}
    assert {case.key for case in report.cases} <= whole_names


def _told(warnings):
    """Without the names that are quoted as examples: two passes meet them in another order."""
    return {warning.partition(":")[0] for warning in warnings}
