"""From parsed elements to raw cases, with the suites they lie in and the evidence of who wrote them."""

from collections.abc import Iterator

from lxml import etree

from core.junit.errors import ReportError
from core.junit.raw import Evidence, Mark, RawCase, Suite
from core.junit.text import bounded
from core.limits import Limits

ROOTS = frozenset({"testsuites", "testsuite", "testcase"})
BAD_TAGS = frozenset({"failure", "error"})
RETRY_TAGS = frozenset({"flakyFailure", "flakyError", "rerunFailure", "rerunError"})
MARKS = BAD_TAGS | RETRY_TAGS | {"skipped"}
OUTPUTS = frozenset({"system-out", "system-err"})
_FOREIGN = {
    "html": "this is an HTML page",
    "svg": "this is an SVG picture",
    "coverage": "this is a Cobertura coverage report",
    "report": "this is a JaCoCo coverage report",
    "checkstyle": "this is a Checkstyle report",
    "testng-results": "this is TestNG's own format",
    "TestRun": "this is a TRX report",
    "assemblies": "this is an xUnit.net v2 report",
    "test-run": "this is an NUnit 3 report",
    "test-results": "this is an NUnit 2 report",
    "robot": "this is Robot Framework's output.xml",
    "rss": "this is an RSS feed",
    "project": "this is a build file",
}
_REMEDY = {
    "testng-results": "TestNG also writes JUnit XML, in the folder junitreports.",
    "TestRun": "Add a JUnit logger (JunitXml.TestLogger) to `dotnet test`.",
    "assemblies": "Run it with -junit FILE, or add a JUnit logger.",
    "test-run": "Save it with --result=FILE;format=junit, or add a JUnit logger.",
    "robot": "Run it with --xunit FILE.",
}


def local(tag: str) -> str:
    """The tag without its namespace."""
    return tag.rpartition("}")[2]


class Walker:
    """Told of elements as they open and close, it hands out raw cases and remembers the suites around them."""

    def __init__(self, *, name: str, limits: Limits) -> None:
        self.evidence = Evidence()
        self.orphans: list[tuple[Suite, Mark]] = []
        """Failures and errors that hang on a suite instead of a case."""
        self._name = name
        self._limits = limits
        self._suites: list[Suite] = [Suite()]
        self._root_seen = False

    def opened(self, element: etree._Element) -> None:
        """An element's start tag was read."""
        tag = local(element.tag)
        if not self._root_seen:
            self._root(element, tag)
        if tag == "testsuite":
            self._suites.append(self._suite(element))

    def closed(self, element: etree._Element) -> RawCase | None:
        """An element is complete; a case is handed out."""
        tag = local(element.tag)
        if tag == "testcase":
            return self._case(element)
        if tag == "testsuite":
            self._leave(element)
        return None

    def _root(self, element: etree._Element, tag: str) -> None:
        self._root_seen = True
        if tag not in ROOTS:
            what = _FOREIGN.get(tag, f"its root element is <{bounded(tag, 60)}>")
            raise ReportError(
                f"{what}, not a JUnit report",
                name=self._name,
                line=element.sourceline,
                remedy=_REMEDY.get(tag, "Send the XML that the test runner's JUnit reporter writes."),
            )
        seen = self.evidence
        seen.root = tag
        seen.attributes = {local(k): v for k, v in element.attrib.items()}
        seen.counted_errors = count(seen.attributes.get("errors"))
        seen.counted_bad = seen.counted_errors + count(seen.attributes.get("failures"))

    def _suite(self, element: etree._Element) -> Suite:
        get = element.get
        outer = self._suites[-1]
        name = get("name") or ""
        suite = Suite(
            path=(*outer.path, name) if name else outer.path,
            name=name,
            file=get("file") or get("filepath") or outer.file,
            hostname=get("hostname") or "",
            package=get("package") or "",
        )
        if not self.evidence.suite_attributes:
            self.evidence.suite_attributes = {local(k): v for k, v in element.attrib.items()}
        return suite

    def _leave(self, element: etree._Element) -> None:
        suite = self._suites.pop()
        for child in element:
            tag = local(child.tag) if isinstance(child.tag, str) else ""
            if tag in BAD_TAGS:
                self.orphans.append((suite, self._mark(child, tag)))
            elif tag == "properties":
                suite.properties.update(properties(child))
        if not self.evidence.properties:
            self.evidence.properties = suite.properties

    def _case(self, element: etree._Element) -> RawCase:
        get = element.get
        marks: tuple[Mark, ...] = ()
        output = ""
        status = get("status") or get("result") or ""
        if len(element):
            marks = tuple(self._marks(element))
            if any(mark.tag != "skipped" for mark in marks):
                output = self._output(element)
        if get("failure"):
            self.evidence.tags.add("@failure")
        raw = RawCase(
            self._suites[-1],
            get("name") or "",
            get("classname") or get("class") or "",
            get("file") or get("filepath") or "",
            get("time") or get("duration") or "",
            status,
            marks,
            output,
        )
        self._count(raw, element)
        return raw

    def _count(self, raw: RawCase, element: etree._Element) -> None:
        seen = self.evidence
        seen.cases += 1
        if seen.cases > self._limits.cases:
            raise ReportError(
                f"it holds more than {self._limits.cases:,} test cases",
                name=self._name,
                remedy="Upload one report per shard or module.",
            )
        if seen.first_case is None:
            seen.first_case = raw
            seen.case_attributes = frozenset(local(k) for k in element.attrib)
        for mark in raw.marks:
            seen.tags.add(mark.tag)
        if any(mark.tag in BAD_TAGS for mark in raw.marks):
            seen.bad_cases += 1
        if any(mark.tag == "error" for mark in raw.marks):
            seen.error_cases += 1

    def _marks(self, element: etree._Element) -> Iterator[Mark]:
        for child in element:
            tag = local(child.tag) if isinstance(child.tag, str) else ""
            if tag in MARKS:
                yield self._mark(child, tag)

    def _mark(self, element: etree._Element, tag: str) -> Mark:
        text = element.text or ""
        for child in element:
            if isinstance(child.tag, str) and local(child.tag) == "stackTrace":
                text = (text.strip() + "\n" + (child.text or "")).strip()
        limit = self._limits.text_chars
        get = element.get
        return Mark(
            tag,
            bounded(get("message") or "", limit),
            get("type") or "",
            bounded(text, limit),
            get("time") or "",
        )

    def _output(self, element: etree._Element) -> str:
        texts = [
            child.text.strip()
            for child in element
            if isinstance(child.tag, str) and local(child.tag) in OUTPUTS and child.text
        ]
        return bounded("\n".join(texts), 2 * self._limits.output_chars)


def properties(element: etree._Element) -> Iterator[tuple[str, str]]:
    """The name and value of each `<property>`."""
    for child in element:
        if isinstance(child.tag, str) and child.get("name"):
            yield child.get("name", ""), child.get("value") or child.text or ""


def count(text: str | None) -> int:
    """A count attribute, 0 when it is not a number."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0  # noqa: PLR2004 - no suite is larger
