"""Odd files as people really upload them: each is read right, or refused with the place and what to do."""

import json
from pathlib import Path

import pytest

from core.junit import ReportError, read_report

JEST = (Path(__file__).parents[2] / "samples/native/jest.json").read_text()
EVENTS = "\n".join(
    json.dumps(event)
    for event in (
        {"Action": "start", "Package": "shop"},
        {"Action": "run", "Package": "shop", "Test": "TestPasses"},
        {"Action": "pass", "Package": "shop", "Test": "TestPasses", "Elapsed": 1},
        {"Action": "pass", "Package": "shop", "Elapsed": 1},
    )
)
CASE = '<testcase name="a" classname="c" time="1"/>'
LOOSE = "text around the report was ignored"
BEFORE = "text before the first tag was ignored"


@pytest.mark.parametrize(
    ("data", "outcomes"),
    [
        ('<?xml version="1.1"?><testsuite><testcase name="a&#1;b"/></testsuite>', {"a\ufffdb": "passed"}),
        ("<testsuite>" * 90 + CASE + "</testsuite>" * 90, {"a": "passed"}),
        ("<x:testsuite xmlns:x='u'><x:testcase name='a'><x:failure/></x:testcase></x:testsuite>", {"a": "failed"}),
        ("<testsuite xmlns:x='u'><testcase x:name='n' name='a'/></testsuite>", {"a": "passed"}),
        ("<testsuite><x:testcase name='a'/></testsuite>", {"a": "passed"}),
        (f"<testsuites>{CASE}</testsuites>", {"a": "passed"}),
        (f"<testsuite><testcase name='o'><failure/>{CASE}</testcase></testsuite>", {"a": "passed", "o": "failed"}),
        (f"<testsuite>{CASE}<testcase name='o' classname='c' time='1'>{CASE}</testcase></testsuite>",
         {"a": "passed", "o": "passed"}),
        ("<testsuite><testcase name='a'><failure><skipped/><b>x</b></failure></testcase></testsuite>", {"a": "failed"}),
        (f"<testsuite>\nINFO loading\n{CASE}\n</testsuite>", {"a": "passed"}),
        (f"<testsuite><?r?>{CASE}<?r ?></testsuite>", {"a": "passed"}),
        (f"<testsuite><!-- a -- b -->{CASE}</testsuite>", {"a": "passed"}),
        (f"<testsuite>{CASE}</testsuite>" + "\0" * 5000, {"a": "passed"}),
        ("<testsuite><testcase name='a' status='FAILED'/><testcase name='b' result='Skipped'/></testsuite>",
         {"a": "failed", "b": "skipped"}),
    ],
)  # fmt: skip
def test_odd_xml_is_read(data, outcomes):
    report = read_report(data.encode())
    assert {case.key.name: case.outcome.value for case in report.cases} == outcomes
    assert not report.partial


@pytest.mark.parametrize(
    ("data", "warning"),
    [
        (f"\ufeff\ufeff<testsuite>{CASE}</testsuite>", BEFORE),
        (f"[INFO] made by hand\n{{}}\n<testsuite>{CASE}</testsuite>", BEFORE),
        (f'{{"level": "info"}}\n<?xml version="1.0"?><testsuite>{CASE}</testsuite>', BEFORE),
        (f"\n> shop@1.0.0 test\n> jest --json\n\n{JEST}", LOOSE),
        (f"{JEST}\nDone in 3.1s.\n", LOOSE),
        (f"go: downloading example.com/x v1.2.3\n# shop\n{EVENTS}", "2 lines that are no events were ignored"),
        (f"{EVENTS}\nFAIL\nexit status 1\n", "2 lines that are no events were ignored"),
    ],
)  # fmt: skip
def test_loose_text_around_a_report_is_passed_over_and_told(data, warning):
    report = read_report(data.encode())
    assert report.cases
    assert warning in report.warnings


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("data", [JEST, EVENTS, f"<testsuite>{CASE}</testsuite>"])
def test_what_a_shell_has_written_in_another_encoding_is_read_the_same(data, encoding):
    assert read_report(data.encode(encoding)).cases == read_report(data.encode()).cases


def test_a_declared_encoding_counts_also_behind_a_log_line():
    data = "starting\n<?xml version='1.0' encoding='ISO-8859-1'?><testsuite><testcase name='é'/></testsuite>"
    assert read_report(data.encode("latin-1")).cases[0].key.name == "é"


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("PT1.5S", 1.5), ("PT1M2S", 62.0), ("PT2H", 7200.0), ("00:01:02.5", 62.5), ("120ms", 0.12), ("1.5 s", 1.5),
        ("1 234,5", 1234.5), ("1\u202f234,5", 1234.5), ("1.234,5", 1234.5), ("1,234,567.5", 1234567.5),
        ("PT", None), ("PTS", None), ("1m2s", None), ("1:2", None), ("-00:00:01", None), ("1,2,3", None),
    ],
)  # fmt: skip
def test_times_in_other_notations_are_seconds_or_unknown(time, seconds):
    data = f'<testsuite><testcase name="t" time="{time}"/></testsuite>'
    assert read_report(data.encode()).cases[0].duration == seconds


@pytest.mark.parametrize(
    ("data", "reason", "line"),
    [
        ("rror: no</failure></testcase></testsuite>", "its beginning is missing", 1),
        ("</testcase><testcase name='a'/></testsuite>", "its beginning is missing", 1),
        ("<HTML><HEAD><TITLE>502 Bad Gateway</TITLE></HEAD></HTML>", "HTML page", None),
        ("<h1>Not Found</h1>", "HTML page", None),
        ("<TESTSUITE/>", "its root element is <TESTSUITE>", None),
        ("<results><testsuite/></results>", "its root element is <results>", None),
        ("<testsuite>" * 200 + CASE, "nested deeper than 100", None),
        ("<testsuite " + "x" * 70_000 + ">" + CASE + "</testsuite>", "Specification mandates value", 1),
        (f"<testsuite>\n<<<<<<< HEAD\n{CASE}\n=======\n</testsuite>", "not well-formed", 2),
        ("<testsuite>\n<testcase name='http://x/?a=1&b=2'/></testsuite>", "EntityRef", 2),
        ("<testsuite>\n<testcase name='List<String>'/></testsuite>", "Unescaped '<'", 2),
        (f"<testsuite>{CASE}</testsuite>\n<?xml version='1.0'?>\n<testsuite>{CASE}</testsuite>", "more elements", 3),
        ("TAP version 13\n1..1\nok 1 - a\n", "not XML", 1),
        ("Not Found", "not XML", 1),
        ('{"message": "Not Found"}', "JSON is no test report", None),
        (JEST + JEST, "more follows after the end of the JSON report", 1),
        (JEST[:900], "JSON is not well-formed", 1),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_place_and_remedy(data, reason, line):
    with pytest.raises(ReportError, match=reason) as refused:
        read_report(data.encode(), name="up.xml")
    assert refused.value.line == line
    assert len(refused.value.message) < 500
