"""Broken and odd ends of documents get one answer, wherever the pieces of an upload end."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.junit import ReportError, stream_report

CASE = b'<testcase name="a"/>'
LOOSE = "text after the end of the report was ignored"
MORE = "more elements follow after the end of the report"


class Cut(io.BytesIO):
    """An upload that arrives in two parts."""

    def __init__(self, data: bytes, at: int) -> None:
        super().__init__(data)
        self._at = at

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._at - self.tell() if self.tell() < self._at else size)


def answer(data: bytes, at: int):
    """Names, warnings and completeness, or the reason and line of the refusal."""
    stream = stream_report(Cut(data, at))
    try:
        names = [case.key.name for case in stream]
    except ReportError as error:
        return error.reason, error.line
    return names, stream.partial, stream.warnings


@pytest.mark.parametrize(
    ("data", "answered"),
    [
        (b"<testsuite>" + CASE + b"</testsuite>\nDone in 3 s.\n", (["a"], False, (LOOSE,))),
        (b"<testsuite>" + CASE + b"</testsuite>\0\0 & ]]>", (["a"], False, (LOOSE,))),
        (b"<testsuite>" + CASE + b"</testsuite>\n<!-- c --> <?p i?>\n", (["a"], False, ())),
        (b"<testsuite><testsuite/>" + CASE + b"</testsuite>tail</testsuite>", (MORE, 1)),
        (b"<testsuite><testsuite n='>'/>" + CASE + b"</testsuite>\n log", (["a"], False, (LOOSE,))),
        (b"<testsuite>" + CASE + b"</testsuite>\n\n<testsuite/>", (MORE, 3)),
        (b"<testsuite>" + CASE + b"</testsuite >\n<![CDATA[x]]>", (MORE, 2)),
        (b"<testsuite>" + CASE + b"</testsuite><!-- never closed", (MORE, 1)),
        (b"<testsuites/>Done", ([], False, (LOOSE, "the report holds no test at all"))),
        (b"<j:testsuite xmlns:j='u'><j:testcase name='a'/></j:testsuite> Done", (["a"], False, (LOOSE,))),
        (b"<testsuite><testcase name='a' name='b'/></testsuite>", ("Attribute name redefined", 1)),
        (b"<testsuite>\n<testcase name='a'b='c'/></testsuite>", ("attributes construct error", 2)),
        (b"<testsuite><testcase name='a/></testsuite>", ("Unescaped '<' not allowed in attributes", 1)),
        (b"<testsuite><testcase name='a'>&b</testcase></testsuite>", ("EntityRef: expecting ';'", 1)),
        (b"<testsuite><testcase name='a'>& b</testcase></testsuite>", ("xmlParseEntityRef: no name", 1)),
        (b"<testsuite><testcase name='a'>&#9</testcase></testsuite>", ("CharRef: invalid decimal value", 1)),
    ],
)  # fmt: skip
def test_the_end_of_a_document_is_read_the_same_wherever_it_is_cut(data, answered):
    answers = [answer(data, at) for at in range(1, len(data))]
    assert all(one == answers[0] for one in answers)
    if isinstance(answered[0], str):
        assert answered[0] in answers[0][0]
        assert answered[1] == answers[0][1]
    else:
        assert answers[0] == answered


@pytest.mark.parametrize("behind", [b"\n", b"\nDone"])
def test_a_broken_tag_in_one_long_line_is_no_cut_wherever_the_parts_end(behind):
    data = b"<testsuite>" + CASE + b"<a><b</c'd></a></testcase><!--</testsuite>" + behind
    answers = [answer(data, at) for at in range(1, len(data))]
    assert all(one == answers[0] for one in answers)
    assert "not well-formed" in answers[0][0]


@pytest.mark.parametrize("at", [1, 30, 60, 90])
def test_a_prefix_that_is_not_declared_is_tolerated_also_in_a_file_that_is_cut_short(at):
    data = b"<testsuite><x:a y:b='1'/>" + CASE + b"<testcase name='b'><failure>no</fail" + b" " * 40
    assert answer(data, at)[:2] == (["a"], True)


@pytest.mark.parametrize("cut", [b"x &", b"x &am", b"x &#x1", b"x", b"x<![CD", b"x</testca"])
def test_what_stops_in_the_midst_of_markup_is_cut_short(cut):
    names, partial, _ = answer(b"<testsuite>" + CASE + b"<testcase name='b'><failure>" + cut, 1)
    assert (names, partial) == (["a"], True)


PARTS = st.sampled_from(
    [
        b"<", b">", b'"', b"&", b"&lt;", b" ", b"\n", b"/", b"=", b"</testsuite>", b"<testsuite/>", CASE, b"<![CDATA[",
        b"]]>", b"</testcase>", b' a="1"', b"\0", b"\xff", b"Done", b"<x/>", b";",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([b"<testsuite>" + CASE, b"<testsuite><testsuite/>", b"<testsuites><testsuite name='s'>"]),
    st.lists(PARTS, max_size=5).map(b"".join),
    st.lists(PARTS, max_size=3).map(b"".join),
    st.data(),
)
def test_no_end_whatsoever_is_read_differently_in_two_parts(start, inside, behind, pick):
    data = start + inside + (b"</testsuite></testsuites>" if b"s>" in start else b"</testsuite>") + behind
    assert answer(data, pick.draw(st.integers(1, len(data) - 1))) == answer(data, len(data))


@pytest.mark.parametrize("child", ["<system-out>a &b= c</system-out>", "<properties>&b=</properties>"])
def test_what_nobody_keeps_is_judged_nowhere_however_it_arrives(child):
    cases = "".join(f'\n<testcase name="t{n}" time="0.1">\n  {child}\n</testcase>' for n in range(3))
    data = f"<testsuite>{cases}\n</testsuite>".encode()
    answers = {str(answer(data, at)) for at in range(1, len(data))}
    assert answers == {str((["t0", "t1", "t2"], False, ()))}
