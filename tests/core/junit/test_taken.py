"""Cases that are taken out of the document read as the parser would have read them, whatever they hold."""

import time
from collections import deque
from io import BytesIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from core.junit import ReportError, read_report, stream_report
from core.junit.assembly import whole
from core.junit.blocks import naming_of
from core.junit.cutter import Cutter
from core.junit.dialects import recognise
from core.junit.document import Document, parser_for
from core.junit.lines import Lines
from core.junit.reading import of_one_run
from core.junit.repair import Repair
from core.junit.replay import InMemory
from core.junit.walker import Walker
from core.limits import DEFAULT, Limits

SMALL = Limits(text_chars=60, output_chars=20)

CHARACTERS = st.sampled_from(
    ["a", "b c", "é", "漢", "&lt;", "&gt;", "&amp;", "&quot;", "&apos;", "&#10;", "&#x41;", "&#13;", "&#9;",
     "&#x1F600;", "\n", "\r\n", "\r", "\t", " ", ">", "]", "[31m", "'", "&amp;lt;", "&#38;amp;", "x" * 90]
)  # fmt: skip
ODD = st.sampled_from(
    [
        "\x1b[31m",
        "\x00",
        "\x08",
        "&#27;[1m",
        "&#0;",
        "&#xFFFE;",
        "\uffff",
        "&#xD83D;&#xDE00;",
        "&#xD800;",
        "]]&gt;",
        "\x7f",
    ]
)
BROKEN = st.sampled_from(
    ["&", "&nbsp;", "&#X41;", "&#;", "&lt", "]]>", "<b/>", "<!-- c -->", "<?pi?>", "&#x110000;"]
)


def text(*, odd: bool = False, broken: bool = False):
    one = st.one_of(CHARACTERS, CHARACTERS, *([ODD] if odd else []), *([BROKEN] if broken else []))
    together = st.lists(one, max_size=6).map("".join)
    return together if broken else together.map(lambda found: found.replace("]]>", "]]&gt;"))


def in_attribute(value: str) -> str:
    return value.replace('"', "&quot;").replace("<", "&lt;")


@st.composite
def body(draw, **kinds):
    inside = draw(text(**kinds))
    return draw(
        st.sampled_from(
            [
                inside,
                inside,
                f"<![CDATA[{inside.replace(']]>', ']]')}]]>",
                f"\n<![CDATA[{inside.replace(']]>', '')}<testcase name='no'/>]]>{draw(text(**kinds))}",
                f"<![CDATA[a]]]]><![CDATA[>{inside.replace(']]>', '')}]]>",
            ]
        )
    )


@st.composite
def marks(draw, **kinds):
    tag = draw(
        st.sampled_from(["failure", "failure", "error", "skipped", "rerunFailure", "flakyError", "other"])
    )
    names = draw(st.permutations(["message", "type", "time", "line"]))[: draw(st.integers(0, 3))]
    values = [f' {name}="{in_attribute(draw(text(**kinds)))}"' for name in names]
    twice = [values[0]] if values and kinds.get("broken") and draw(st.integers(0, 20)) == 0 else []
    tag_space = draw(st.sampled_from(["", "", " ", "\n"]))
    opened = f"<{tag}{''.join(values + twice)}{tag_space}"
    return draw(
        st.sampled_from(
            [f"{opened}/>", f"{opened}>{draw(body(**kinds))}</{tag}>", f"{opened}></{tag}{tag_space}>"]
        )
    )


@st.composite
def outputs(draw, *, odd=False, broken=False):
    # The output of passed cases is thrown away unread, so that only the parser would find it broken.
    kinds = {"odd": odd, "broken": False}
    tag = draw(st.sampled_from(["system-out", "system-err"]))
    return draw(st.sampled_from([f"<{tag}/>", f"<{tag}>{draw(body(**kinds))}</{tag}>"]))


@st.composite
def cases(draw, order, **kinds):
    values = {
        "name": in_attribute(draw(text(**kinds))),
        "classname": draw(st.sampled_from(["C", "pkg.D", "é", "C &amp; D"])),
        "time": draw(st.sampled_from(["0", "0.001", "1.5", "nan", "", "1,234.5"])),
        "status": draw(st.sampled_from(["run", "Passed", "failed", ""])),
        "result": draw(st.sampled_from(["completed", "skipped", ""])),
        "file": draw(st.sampled_from(["a.py", "/home/runner/work/r/r/b.py"])),
    }
    tag = "<testcase" + "".join(f' {key}="{values[key]}"' for key in order)
    space = draw(st.sampled_from(["", "\n", "\n    ", " <!-- c --> "]))
    children = draw(
        st.one_of(
            st.just([]),
            st.tuples(marks(**kinds)),
            st.tuples(marks(**kinds), outputs(**kinds)),
            st.tuples(outputs(**kinds)),
            st.tuples(outputs(**kinds), marks(**kinds)),
            st.lists(
                st.one_of(
                    marks(**kinds),
                    outputs(**kinds),
                    st.just("<properties><property name='p' value='v'/></properties>"),
                ),
                max_size=4,
            ),
        )
    )
    if not children:
        return space + tag + draw(st.sampled_from(["/>", "></testcase>", "> </testcase>"]))
    return space + tag + ">" + "".join(space + child for child in children) + space + "</testcase>"


SUITES = (
    ' file="f.py"',
    ' file="f.py"',
    ' filepath="g.py" failures="1"',
    ' file="" filepath="h &amp; g.py"',
    ' hostname="a" package="b" id="c"',
    "",
)


@st.composite
def reports(draw, **kinds):
    """As one tool would write it: every case with the same attributes."""
    others = draw(st.permutations(["classname", "time", "status", "result", "file"]))[
        : draw(st.integers(0, 4))
    ]
    order = draw(st.permutations(["name", *others]))
    suites = draw(st.lists(st.lists(cases(order, **kinds), max_size=6), min_size=1, max_size=3))
    name = draw(st.sampled_from(["", ' name="pytest tests"', ' name="vitest tests"']))
    inner = draw(st.sampled_from(["", "<testsuite name='outer'>"]))
    ends = "</testsuite>" if inner else ""
    for n, found in enumerate(suites):
        twice = draw(st.sampled_from(["", "", ' name="again"'])) if kinds.get("broken") else ""
        more = draw(st.sampled_from(SUITES))
        opened = f'<testsuite name="{in_attribute(draw(text(**kinds)))}{n}"{more} errors="{n}"{twice}'
        inner += f"{opened}{draw(st.sampled_from(['', ' ']))}>{''.join(found)}\n</testsuite>"
    inner += ends
    return f"<testsuites{name}>{inner}</testsuites>".encode()


class Plain(Walker):
    """Without a cutter in front, instructions are the document's own."""

    def pi(self, target, data=None):
        pass


def plain(data: bytes, limits: Limits):
    """What the parser alone makes of it."""
    walker = Plain(name="", limits=limits, rows=deque())
    parser = parser_for(walker)
    parser.feed(Repair().mend(data))
    parser.close()
    dialect = of_one_run(recognise(walker.evidence), walker.evidence)
    naming = naming_of(dialect, variant="", limits=limits)
    results = tuple(whole(list(naming.batches(walker.items)), dialect.repeats, lambda _: None))
    errors = (*naming.errors, *dialect.hidden_errors(walker.evidence, naming.errors))
    return dialect.name, results, errors


def fast(data: bytes, limits: Limits):
    stream = stream_report(BytesIO(data), limits=limits)
    cases = tuple(stream)
    return stream.dialect, cases, stream.suite_errors


@settings(max_examples=300, deadline=None)
@given(reports(), st.sampled_from([DEFAULT, SMALL]))
def test_what_is_taken_out_reads_as_the_parser_reads_it(data, limits):
    expected = plain(data, limits)
    assert fast(data, limits) == expected
    assert read_report(data, limits=limits).cases == expected[1]


@settings(max_examples=200, deadline=None)
@given(reports(odd=True), st.sampled_from([DEFAULT, SMALL]))
@example(b'<testsuite><testcase name=""><failure><![CDATA[&#0;]]></failure></testcase></testsuite>', DEFAULT)
def test_what_has_to_be_repaired_is_left_to_the_repair(data, limits):
    assert fast(data, limits) == plain(data, limits)


@settings(max_examples=200, deadline=None)
@given(reports(broken=True))
@example(b'<testsuite><testcase name="a"><failure>]]></failure></testcase></testsuite>')
@example(b'<testsuite><testcase name="<testcase"/></testsuite>')
@example(b'<testsuite><testcase name="a" id="</testcase>"></testcase></testsuite>')
@example(b'<testsuite><testcase name="a"><failure a="1" a="2"/></testcase></testsuite>')
def test_what_is_not_xml_is_refused_as_the_parser_refuses_it(data):
    try:
        expected = plain(data, DEFAULT)
    except etree.XMLSyntaxError:
        with pytest.raises(ReportError, match="not well-formed"):
            read_report(data)
        return
    assert fast(data, DEFAULT) == expected


def test_failures_of_one_shape_never_reach_the_parser():
    failure = '<failure message="no &lt;">a &amp; \x1b[31mb</failure><system-out><![CDATA[out]]></system-out>'
    cases = "".join(
        f'<testcase name="&#27;[1mt{n}">{failure if n % 2 else "<skipped/>"}</testcase>' for n in range(50)
    )
    data = f"<testsuite>{cases}</testsuite>".encode()
    cutter = Cutter([data], name="", limits=DEFAULT, lines=Lines(lambda: [data]))
    assert b"".join(cutter) == b"<testsuite><?r?></testsuite>"
    assert [rows.count for rows in cutter.rows] == [50]


def test_small_suites_never_reach_the_parser():
    data = b"<testsuites>" + b"".join(
        b'<testsuite name="s%d">\n<testcase name="t%d"/>\n</testsuite>\n' % (n, n) for n in range(50)
    )
    cutter = Cutter([data], name="", limits=DEFAULT, lines=Lines(lambda: [data]))
    left = b"".join(cutter).replace(b"\n", b"")
    assert left == b'<testsuites><testsuite name="s0"><?r?></testsuite>'
    assert [len(rows.turns) for rows in cutter.rows] == [49]


@pytest.mark.parametrize(
    ("around", "reason", "line"),
    [
        (b"<testsuites><testsuite><x>%b</x></testsuite></testsuites>", "tag mismatch: x.* and testsuite", 3),
        (b'<testsuites xmlns:a="b"><a:testsuite>%b</a:testsuite></testsuites>', "mismatch", 3),
        (b"<testsuite>%b</testsuite>", "more elements follow", 4),
    ],
)
def test_where_one_suite_ends_and_the_next_begins_is_judged(around, reason, line):
    turn = (
        b'<testcase name="a"/><testcase\nname="b"/>\n</testsuite>\n<testsuite name="n"><testcase name="c"/>'
    )
    with pytest.raises(ReportError, match=reason) as refused:
        read_report(around % turn)
    assert refused.value.line == line


def test_suites_without_cases_are_not_kept():
    empty = b'<testsuite name="empty"></testsuite>' * 1000
    case = b'<testsuite name="s"><testcase name="t"/><testcase name="u"/></testsuite>'
    source = InMemory(b"<testsuites>" + case + empty + case + b"</testsuites>")
    items = Document(source, again=source.again, name="", limits=DEFAULT)
    assert sum(len(rows.suites) for rows in items) == 2


def test_many_short_runs_that_need_the_parser_take_no_long_search():
    case = b'<testcase name="&#xD800;"/><properties/>'
    began = time.process_time()
    read_report(b"<testsuite>" + case * 20_000 + b"</testsuite>")
    # If each run searched all others, this would take a minute.
    assert time.process_time() - began < 10
