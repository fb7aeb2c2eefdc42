"""How fast reports are read, beside the parsers that people use, on the same documents in interleaved runs.

Run `python benchmarks/parse.py` (about five minutes) or with `--quick` (under a minute). Every contender reads
the fields it offers of every case: name, class, outcome, time, message. Each is called twice in a row and the second
call counts, so that none pays for the state in which its neighbour leaves memory. Figures are medians; `x` is the ratio to
FlakeGuard's own time, so more than 1 means slower than FlakeGuard. Times are processor time, so that a busy
machine changes little. Peaks are of a fresh process for each parser.
"""

import argparse
import gc
import io
import statistics
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from pathlib import Path

import junitparser
import test_results_parser
from lxml import etree

sys.path.insert(0, str(Path(__file__).parents[1]))

from core.junit import read_report, stream_report
from core.report import CaseResult

SUITE = '<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" tests="{}">'
TRACE = "".join(
    f'  File "shop/module_{n}.py", line {n}, in call_{n}\n    assert left == right\n' for n in range(20)
)
LINE = "2026-11-22 02:49:36,746 INFO [worker-1] shop.cart: added item 4711 to a customer's cart\n"


def lean(count: int) -> bytes:
    """Passed cases that say nothing but their name and time."""
    return _document(count, lambda _: "/>")


def failing(count: int) -> bytes:
    """Every third case fails with a trace of 1.4 KB."""

    def rest(n: int) -> str:
        return f'><failure message="assert {n} == 2">{TRACE}</failure></testcase>' if n % 3 == 0 else "/>"

    return _document(count, rest)


def printing(count: int) -> bytes:
    """Every case passes and prints 8 KB."""
    printed = f"><system-out><![CDATA[{LINE * 100}]]></system-out></testcase>"
    return _document(count, lambda _: printed)


def suites(count: int) -> bytes:
    """Five cases in each suite, as the runners of Java and JavaScript write them."""
    cases = lean(count).decode().split("\n")
    groups = ("\n".join(cases[at : at + 5]) for at in range(0, count, 5))
    return '</testsuite>\n<testsuite name="next" tests="5" time="0.5">\n'.join(groups).encode()


def _document(count: int, rest: Callable[[int], str]) -> bytes:
    cases = (
        f'<testcase classname="tests.unit.test_module_{n // 50}.TestThing" name="test_behaviour_{n}[{n % 7}]"'
        f' time="{n * 37 % 1000 / 1000:.3f}"{rest(n)}'
        for n in range(count)
    )
    return (SUITE.format(count) + "\n".join(cases) + "</testsuite></testsuites>").encode()


def flakeguard(data: bytes) -> int:
    return _read(read_report(data).cases)


def flakeguard_stream(data: bytes) -> int:
    return _read(stream_report(io.BytesIO(data)))


def _read(cases: Iterable[CaseResult]) -> int:
    total = 0
    for case in cases:
        key, last = case.key, case.attempts[-1]
        total += (
            len(key.name)
            + len(key.class_name)
            + bool(last.duration)
            + bool(last.outcome)
            + bool(last.message)
        )
    return total


def codecov(data: bytes) -> int:
    runs = test_results_parser.parse_junit_xml(data).testruns
    return sum(
        len(r.name) + len(r.classname) + bool(r.duration) + bool(r.outcome) + bool(r.failure_message)
        for r in runs
    )


def junitparser_(data: bytes) -> int:
    total = 0
    for suite in junitparser.JUnitXml.fromstring(data):
        for case in suite:
            total += len(case.name) + len(case.classname) + bool(case.time) + len(case.result)
    return total


def stdlib(data: bytes) -> int:
    return _walk(ET.fromstring(data).iter("testcase"))


def libxml2(data: bytes) -> int:
    """The floor of everything on libxml2: a tree, and a look at the attributes and children of each case."""
    return _walk(etree.fromstring(data, etree.XMLParser(huge_tree=True)).iter("testcase"))


def _walk(cases) -> int:
    total = 0
    for case in cases:
        total += len(case.get("name")) + len(case.get("classname")) + bool(float(case.get("time")))
        for child in case:
            total += len(child.get("message") or "") + len(child.text or "")
    return total


CONTENDERS = {
    "flakeguard": flakeguard,
    "flakeguard stream": flakeguard_stream,
    "codecov": codecov,
    "junitparser": junitparser_,
    "xml.etree": stdlib,
    "lxml tree": libxml2,
}
KINDS = {"lean": lean, "suites": suites, "failing": failing, "printing": printing}
FULL = {
    "lean": (100, 1000, 10_000, 200_000),
    "suites": (10_000,),
    "failing": (100, 1000, 10_000, 50_000),
    "printing": (100, 1000, 12_500),
}
QUICK = {"lean": (100, 10_000), "suites": (10_000,), "failing": (100, 5_000), "printing": (100, 2_000)}


def compare(kind: str, count: int, rounds: int) -> None:
    """One line for each contender, all measured in turn so that a busy machine is busy for all."""
    data = KINDS[kind](count)
    times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, parse in CONTENDERS.items():
            # libxml2 leaves its freed memory in crumbs, which whoever allocates next would pay for: up to 14 ms here.
            parse(data)
            gc.collect()
            start = time.process_time()
            parse(data)
            times[name].append(time.process_time() - start)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    print(f"\n{kind}, {count:,} cases, {len(data) / 2**20:.1f} MiB, median of {rounds}")
    for name, median in medians.items():
        print(f"  {name:<18}{median * 1000:>10.2f} ms {median / medians['flakeguard']:>7.2f} x")


def peak(name: str, kind: str, count: int) -> float:
    """Peak memory over that of the process with the document loaded, in MiB, in a process of its own."""
    script = (
        "import sys; sys.argv = ['parse.py']; import runpy; "
        f"m = runpy.run_path({__file__!r}); data = m['KINDS'][{kind!r}]({count}); "
        "open('/proc/self/clear_refs', 'w').write('5'); rss = lambda: int(next(line for line in "
        "open('/proc/self/status') if line.startswith('VmHWM')).split()[1]); before = rss(); "
        f"m['CONTENDERS'][{name!r}](data); print((rss() - before) / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return float(done.stdout)


WRONG = """<testsuites><testsuite name="s">
<testcase classname="c" name="skipped" time="0"><skipped/></testcase>
<testcase classname="c" name="recovered" time="1"><flakyFailure message="first"/></testcase>
<testcase classname="c" name="broke" time="1"><failure><![CDATA[the reason]]></failure></testcase>
<testcase classname="c" name="nan" time="NaN"/>
<testcase classname="c" name="escape &#27;[31m" time="1"/>
</testsuite></testsuites>"""


def mistakes() -> None:
    """What each peer makes of five cases whose truth is plain to see."""
    print(
        "\nwhat they make of: skipped, recovered by a retry, reason in CDATA, a time of NaN, an ESC in a name"
    )
    print("  flakeguard:", [(c.key.name, str(c.outcome), c.flaky) for c in read_report(WRONG.encode()).cases])
    for text, note in ((WRONG, "with ESC"), (WRONG.replace("&#27;", ""), "without ESC")):
        for name, read in (("codecov", _codecov_says), ("junitparser", _junitparser_says)):
            try:
                print(f"  {name} ({note}):", read(text.encode()))
            except Exception as error:  # noqa: BLE001 - how a peer fails is the finding
                print(f"  {name} ({note}): refuses the whole file: {type(error).__name__}: {str(error)[:80]}")


def _codecov_says(data: bytes):
    runs = test_results_parser.parse_junit_xml(data).testruns
    return [(r.name, str(r.outcome).rpartition(".")[2], r.failure_message) for r in runs]


def _junitparser_says(data: bytes):
    return [
        (c.name, [type(r).__name__ for r in c.result], c.time)
        for c in (c for s in junitparser.JUnitXml.fromstring(data) for c in s)
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="smaller documents, fewer rounds")
    quick = options.parse_args().quick
    for kind, counts in (QUICK if quick else FULL).items():
        for count in counts:
            compare(kind, count, 5 if quick or count > 10_000 else 11)
    print("\npeak memory over the process, MiB")
    for kind, count in (("lean", 10_000 if quick else 200_000), ("printing", 1_000 if quick else 12_500)):
        for name in CONTENDERS:
            print(f"  {kind:<10}{count:>8,} {name:<18}{peak(name, kind, count):>8.1f}")
    mistakes()


if __name__ == "__main__":
    main()
