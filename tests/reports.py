"""Small test reports, written the way tools write them."""

from xml.sax.saxutils import escape, quoteattr


def junit(*passed, failed=(), suite="pytest"):
    """A pytest report: names that passed, names that failed (or (name, message) pairs)."""
    cases = [f'<testcase classname="shop" name={quoteattr(name)} time="0.01"/>' for name in passed]
    for item in failed:
        name, message = item if isinstance(item, tuple) else (item, "AssertionError: boom")
        cases.append(
            f'<testcase classname="shop" name={quoteattr(name)} time="0.02">'
            f"<failure message={quoteattr(message)}>{escape(message)}</failure></testcase>"
        )
    count = len(passed) + len(failed)
    head = f'<testsuite name="{suite}" tests="{count}" failures="{len(failed)}" errors="0">'
    return f'<?xml version="1.0" encoding="utf-8"?><testsuites>{head}{"".join(cases)}</testsuite></testsuites>'.encode()
