"""Random reports: every way of writing the same thing that an XML writer may choose."""

from hypothesis import strategies as st

NAMES = st.sampled_from(
    [
        "a", "test_x[1]", "test_x[2]", "é", "a &lt; b", "&amp;", "tab&#9;", " padded ", "x" * 50, "&#x27;",
        "id 0x7f3c2a1b4d50", "at 2026-01-01T10:00:00Z", "漢字", "e\u0301", "port localhost:54321", "",
    ]
)  # fmt: skip
TIMES = st.sampled_from(["0", "0.001", "1.5", "nan", "-1", "1e400", "1,234.5", "", "x"])
SPACE = st.sampled_from(
    ["", " ", "\n", "\n  ", "\r\n\t", "<!-- c -->", "<?pi x?>", " <!-- <testcase name='no'/> -->"]
)
TEXT = st.sampled_from(
    [
        "",
        "plain",
        "a &amp; b",
        "<![CDATA[raw <testcase name='no'/> & ]] >]]>",
        "\n  lines\n",
        "é漢",
        "<!-- c -->x",
        "y" * 90,
    ]
)


@st.composite
def attributes(draw):
    found = {"name": draw(NAMES)}
    if draw(st.booleans()):
        found["classname"] = draw(st.sampled_from(["C", "pkg.D", "é", "C &amp; D"]))
    if draw(st.booleans()):
        found["time"] = draw(TIMES)
    if draw(st.integers(0, 5)) == 0:
        found["status"] = draw(st.sampled_from(["run", "notrun", "failed", "passed"]))
    if draw(st.integers(0, 5)) == 0:
        found["file"] = draw(st.sampled_from(["a.py", "/home/runner/work/r/r/b.py"]))
    if draw(st.integers(0, 5)) == 0:
        found["line"] = "3"
    order = draw(st.permutations(sorted(found)))
    quote = draw(st.sampled_from(['"', '"', '"', "'"]))
    gap = draw(st.sampled_from([" ", " ", "  ", "\n"]))
    return "".join(f"{gap}{key}={quote}{found[key]}{quote}" for key in order)


@st.composite
def marks(draw):
    tag = draw(
        st.sampled_from(
            ["failure", "error", "skipped", "flakyFailure", "rerunError", "properties", "unknown"]
        )
    )
    message = draw(st.sampled_from(["", ' message="no &lt;"', " message='m' type='T'"]))
    return f"<{tag}{message}>{draw(TEXT)}</{tag}>"


@st.composite
def outputs(draw):
    tag = draw(st.sampled_from(["system-out", "system-err"]))
    return draw(st.sampled_from([f"<{tag}/>", f"<{tag}>{draw(TEXT)}</{tag}>"]))


@st.composite
def cases(draw):
    tag = f"<testcase{draw(attributes())}"
    if draw(st.booleans()):
        return tag + draw(st.sampled_from(["/>", " />", "></testcase>", ">\n</testcase>"]))
    children = draw(st.lists(st.one_of(outputs(), outputs(), marks()), max_size=3))
    return tag + ">" + "".join(draw(SPACE) + child for child in children) + draw(SPACE) + "</testcase>"


@st.composite
def suites(draw, depth=0):
    inner = st.one_of(cases(), cases(), cases(), suites(depth + 1)) if depth < 2 else cases()
    name = draw(st.sampled_from(["", ' name="s"', ' name="pytest"', ' name="C &gt; D" hostname="h"']))
    body = "".join(draw(SPACE) + item for item in draw(st.lists(inner, max_size=5)))
    return f"<testsuite{name}>{body}{draw(SPACE)}</testsuite>"


@st.composite
def reports(draw):
    head = draw(st.sampled_from(["", '<?xml version="1.0" encoding="UTF-8"?>\n', "<!-- made by hand -->"]))
    body = "".join(draw(st.lists(suites(), max_size=3)))
    root = draw(
        st.sampled_from(["<testsuites>{}</testsuites>", '<testsuites name="pytest tests">{}</testsuites>'])
    )
    return (head + root.format(body)).encode()
