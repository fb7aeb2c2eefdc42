"""XML and JSON that people send by mistake, and what they should send instead."""

_FOREIGN = {
    "html": "this is an HTML page",
    "svg": "this is an SVG picture",
    "coverage": "this is a coverage report (Cobertura or Clover)",
    "report": "this is a JaCoCo coverage report",
    "checkstyle": "this is a Checkstyle report",
    "pmd": "this is a PMD report",
    "BugCollection": "this is a SpotBugs report",
    "testng-results": "this is TestNG's own format",
    "TestRun": "this is a TRX report",
    "assemblies": "this is an xUnit.net v2 report",
    "test-run": "this is an NUnit 3 report",
    "test-results": "this is an NUnit 2 report",
    "robot": "this is Robot Framework's output.xml",
    "Catch2TestRun": "this is Catch2's own format",
    "Catch": "this is Catch2's own format",
    "rss": "this is an RSS feed",
    "feed": "this is an Atom feed",
    "project": "this is a build file",
    "Error": "this is an error page of a file store",
}
_HTML = frozenset({"html", "head", "body", "title", "h1", "center", "div", "script"})
"""Pages of errors are not always whole, nor in small letters."""
_REMEDIES = {
    "testng-results": "TestNG also writes JUnit XML, in the folder junitreports.",
    "TestRun": "Add a JUnit logger to `dotnet test` (package JunitXml.TestLogger).",
    "assemblies": "Run it with `-junit FILE`, or add a JUnit logger.",
    "test-run": "Save it with `--result=FILE;format=junit`, or add a JUnit logger.",
    "robot": "Run it with `--xunit FILE`.",
    "Catch2TestRun": "Run it with `-r junit`.",
    "Catch": "Run it with `-r junit`.",
    "coverage": "Send the test report that was written beside it.",
}
XML_PLEASE = "Send the XML that the test runner's JUnit reporter writes."


def foreign(root: str) -> tuple[str, str]:
    """What a document with this root element is, and the remedy."""
    root = "html" if root.lower() in _HTML else root
    what = _FOREIGN.get(root, f"its root element is <{root[:60]}>")
    return f"{what}, not a JUnit report", _REMEDIES.get(root, XML_PLEASE)
