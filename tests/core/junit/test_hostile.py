"""Every hostile body has one answer: a report with warnings, or a refusal that names place, reason and remedy."""

import contextlib
import io
import time

import pytest

from core.junit import Limits, ReportError, read_report, stream_report
from core.limits import MIB

OK = b'<testsuite name="s"><testcase name="t" time="0.1"/></testsuite>'
LONG = OK.replace(b"><", b">" + b"<testcase name='u'><skipped/></testcase>" * 85 + b"<", 1)
BOMB = b'<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">%s]><testsuite name="&j;"/>' % b"".join(
    b'<!ENTITY %c "&%c;&%c;&%c;&%c;">' % (98 + n, 97 + n, 97 + n, 97 + n, 97 + n) for n in range(9)
)
XXE = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><testsuite name="&f;"/>'
DEEP = b"<testsuite>" * 5000 + b"</testsuite>" * 5000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"<?xml version='1.0'?>", "empty"),
        (b"hello", "not XML"),
        (b"\0" * 5000, "not XML"),
        (b"<html><body/></html>", "HTML page"),
        (b"<!doctype html><html/>", "HTML page"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG picture"),
        (b"<coverage><packages/></coverage>", "coverage report"),
        (b"<checkstyle/>", "Checkstyle"),
        (b"<TestRun xmlns='http://microsoft.com/schemas/VisualStudio/TeamTest/2010'/>", "TRX"),
        (b"<assemblies/>", "xUnit.net"),
        (b"<test-run/>", "NUnit 3"),
        (b"<robot/>", "Robot"),
        (BOMB, "DOCTYPE"),
        (XXE, "DOCTYPE"),
        (b"<!DOCTYPE testsuite><testsuite/>", "DOCTYPE"),
        (b"<!-- " + b"x" * 100_000 + b" --><!DOCTYPE testsuite SYSTEM 'http://127.0.0.1/x'><testsuite/>", "DOCTYPE"),
        (XXE.decode().encode("utf-16"), "DOCTYPE"),
        (XXE.decode().encode("utf-16-le"), "DOCTYPE"),
        (DEEP, "nested deeper than 100"),
        (b"<testsuite><testcase name='a&nbsp;b'/></testsuite>", "not well-formed"),
        (b"<testsuite><testcase name='a&b'/></testsuite>", "not well-formed"),
        (b"<testsuite><testcase name=a/></testsuite>", "not well-formed"),
        (b"<testsuite><testcase name='a' name='b'/></testsuite>", "not well-formed"),
        (b"<testsuite></testsuites>", "not well-formed"),
        (OK + OK, "more elements follow"),
        (b"<testsuite/><testcase name='outside'/>", "outside|more elements"),
        (b"<testcase name='a'", "cut short|empty"),
        (b"<testsuite><" + b"a" * 300_000 + b"/></testsuite>", "long names"),
        (b"<testsuite>" + b"".join(b"<a%d/>" % n for n in range(9000)) + b"</testsuite>", "too many"),
        (b"<testsuite><testcase " + b"".join(b"a%d='' " % n for n in range(200_000)) + b"/></testsuite>", "attributes"),
        (b"{}", "JSON is no test report"),
        (b"[1, 2]", "JSON is no test report"),
        (b'{"a": ', "JSON is not well-formed"),
        (b"[" * 200_000, "JSON is n"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "JSON is n"),
    ],
)  # fmt: skip
def test_refused_with_a_reason(data, reason):
    with pytest.raises(ReportError, match=reason) as refused:
        read_report(data, name="up.xml")
    assert "up.xml" in refused.value.message
    assert read_report(OK).cases[0].key.name == "t"


@pytest.mark.parametrize(
    ("written", "read", "warning"),
    [
        (b"a\x1b[31mb", "ab", None),
        (b"a\x00b", "a\ufffdb", "control characters"),
        (b"a&#0;b", "a\ufffdb", "control characters"),
        (b"a&#x1B;[1mb", "ab", None),
        (b"a\xffb", "a\ufffdb", "not valid UTF-8"),
        (b"a&#xD83D;&#xDE00;b", "a\U0001f600b", None),
        (b"a&#xD83D;b", "a\ufffdb", "control characters"),
        (b"a\xef\xbf\xbfb", "a\ufffdb", "control characters"),
    ],
)
def test_forbidden_characters_are_repaired_and_told(written, read, warning):
    report = read_report(b'<testsuite><testcase name="' + written + b'"/></testsuite>')
    assert report.cases[0].key.name == read
    assert warning is None or any(warning in told for told in report.warnings)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16"), ("utf-32", "utf-32"),
        ("latin-1", "ISO-8859-1"), ("cp1252", "windows-1252"), ("utf-8", "utf-16"), ("utf-8", "no-such"),
        ("utf-8", "rot13"),
    ],
)  # fmt: skip
def test_any_encoding_gives_the_same_name(encoding, declared):
    text = f'<?xml version="1.0" encoding="{declared}"?><testsuite><testcase name="é"/></testsuite>'
    assert read_report(text.encode(encoding)).cases[0].key.name == "é"


@pytest.mark.parametrize("time", ["NaN", "inf", "-inf", "-1", "1e400", "1e15", "abc", "", "0x10", "9" * 400])
def test_impossible_times_are_unknown(time):
    cases = f'<testcase name="t" time="{time}"/><testcase name="u" time="{time}"><failure/></testcase>'
    report = read_report(f"<testsuite>{cases}</testsuite>".encode())
    assert {case.duration for case in report.cases} == {None}


@pytest.mark.parametrize(
    ("time", "seconds"), [("1.5", 1.5), ("1,234.5", 1234.5), ("0,012", 0.012), ("1e-3", 0.001)]
)
def test_times_of_other_locales_are_read(time, seconds):
    data = f'<testsuite><testcase name="t" time="{time}"/></testsuite>'
    assert read_report(data.encode()).cases[0].duration == seconds


@pytest.mark.parametrize(
    "around", ["<failure>{}</failure>", "<failure><![CDATA[{}]]></failure>", '<failure message="{}"/>']
)
def test_a_giant_text_keeps_its_beginning_and_its_end(around):
    data = (
        "<testsuite><testcase name='t'>"
        + around.format("BEGIN " + "é " * MIB + " END")
        + "</testcase></testsuite>"
    )
    message = read_report(data.encode()).cases[0].attempts[0].message
    assert message.startswith("BEGIN é")
    assert message.endswith("é  END")
    assert len(message) <= Limits().text_chars


def test_markup_inside_of_text_is_text():
    inner = "<testcase name='fake'/></testsuite>"
    data = (
        f"<testsuite><testcase name='t'><system-out><![CDATA[{inner}]]></system-out></testcase></testsuite>"
    )
    assert [case.key.name for case in read_report(data.encode()).cases] == ["t"]


def test_a_cut_off_report_keeps_its_complete_cases_and_says_so():
    data = b"<testsuite><testcase name='a'/><testcase name='b'><failure message='x'/></testcase><testcase name='c'"
    report = read_report(data)
    assert [case.key.name for case in report.cases] == ["a", "b"]
    assert report.partial
    assert "cut short" in report.warnings[0]


@pytest.mark.parametrize("behind", [OK, b"<!-- done -->\n" + OK, b"log </testsuite>"])
@pytest.mark.parametrize("at", [1, 2000, 3300, 3390, 3400, 3410])
def test_a_second_document_is_never_passed_over_wherever_a_chunk_ends(behind, at):
    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(at if self.tell() == 0 else size)

    with pytest.raises(ReportError, match="more elements follow"):
        tuple(stream_report(Slow(LONG + behind)))


@pytest.mark.parametrize("at", [1, 40, 62, 63, 64, 70, 85, 100])
def test_a_log_line_behind_the_report_is_passed_over_wherever_a_chunk_ends(at):
    inner = b"<failure><![CDATA[</testsuite> & <x>]]></failure>"
    data = OK.replace(b"/></testsuite>", b">" + inner + b"</testcase></testsuite>") + b"\nDone in 3 s.\n"

    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(at if self.tell() == 0 else size)

    stream = stream_report(Slow(data))
    assert [case.outcome.value for case in stream] == ["failed"]
    assert stream.warnings == ("text after the end of the report was ignored",)


@pytest.mark.parametrize("at", [10, 60, 90])
def test_a_wrong_document_is_refused_also_when_its_end_is_missing(at):
    data = (
        b"<testsuite>\n<testcase name='a'>\n<failure>a&b</failure>\n</testcase>\n"
        + b" " * 40
        + b"\n<testcase"
    )

    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(at if self.tell() == 0 else size)

    with pytest.raises(ReportError, match="not well-formed"):
        tuple(stream_report(Slow(data)))


def test_counts_are_not_trusted():
    report = read_report(
        b'<testsuite tests="99" failures="0"><testcase name="t"><failure/></testcase></testsuite>'
    )
    assert [case.outcome.value for case in report.cases] == ["failed"]


def test_counted_failures_that_are_not_shown_are_an_error_of_the_suite():
    report = read_report(b'<testsuite name="s" tests="1" errors="1"><testcase name="t"/></testsuite>')
    assert "counts 1" in report.suite_errors[0].message


def test_too_many_cases_are_refused():
    data = b"<testsuite>" + b"".join(b"<testcase name='t%d'/>" % n for n in range(11)) + b"</testsuite>"
    with pytest.raises(ReportError, match="more than 10 test cases"):
        read_report(data, limits=Limits(cases=10))


def test_no_case_leaves_a_stream_before_the_document_is_known_to_be_whole():
    data = (
        b"<testsuite>"
        + b"".join(b'<testcase name="t%d"/>' % n for n in range(200_000))
        + b"<oops></testsuite>"
    )
    taken = []
    with pytest.raises(ReportError, match="not well-formed"):
        taken.extend(stream_report(data))
    assert taken == []


@pytest.mark.parametrize("padding", [0, 300_000])
def test_the_line_of_an_error_is_the_line_of_the_file(padding):
    lines = [
        b"<testsuite>",
        b'<testcase name="a"/>',
        b"<!-- x",
        b"-->",
        b"<testcase name='o'><system-out>",
        b"y" * padding,
    ]
    data = b"\n".join(
        [*lines, b"</system-out></testcase>", b'<testcase name="b"/>', b"<testcase name='a&b'/>"]
    )
    with pytest.raises(ReportError) as refused:
        read_report(data + b"</testsuite>")
    assert refused.value.line == 9


@pytest.mark.parametrize(
    "opened",
    [
        b"<testcase name='a'><properties></testcase>",
        b'<testcase name="a"><properties></testcase>',
        b'<testcase name="a"><system-out><![CDATA[',
        b'<testcase name="a"><failure><![CDATA[x]]>',
    ],
)
def test_what_is_never_closed_is_not_searched_for_again_and_again(opened):
    data = b"<testsuite>" + opened * 20_000 + b"x" * 20 * MIB
    began = time.process_time()
    with contextlib.suppress(ReportError):
        assert not read_report(data).cases
    # Each of them would search the 20 MiB behind it: minutes.
    assert time.process_time() - began < 20
