"""What people and attackers send instead of reports, and the answer each must get at every door."""

import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

MIB = 2**20
CASE = b'<testcase classname="c" name="t"/>'
REPORT = b'<testsuite name="s">' + CASE + b"</testsuite>"


@dataclass(frozen=True)
class Hostile:
    """One body, the status it is refused with, and words that say why and what to do."""

    name: str
    body: Callable[[], bytes]
    status: int
    words: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def entities(*, deep: int, wide: int) -> bytes:
    """Entities of entities: a billion laughs."""
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * wide}">' for n in range(1, deep))
    return (
        f'<?xml version="1.0"?><!DOCTYPE t [<!ENTITY e0 "ha">{levels}]><testsuite name="&e{deep - 1};"/>'
    ).encode()


def doctype(declaration: str) -> bytes:
    """A report that declares something first."""
    return (
        f'<?xml version="1.0"?><!DOCTYPE {declaration}><testsuite><testcase name="&x;"/></testsuite>'.encode()
    )


def overlapping() -> bytes:
    """A directory that names the same bytes many times: a zip bomb without nesting."""
    one = zipped({"a.xml": b"<testsuite>" + b" " * (8 * MIB) + b"</testsuite>"})
    at = one.index(b"PK\x01\x02")
    end = one.index(b"PK\x05\x06")
    entry = one[at:end]
    directory = b"".join(entry.replace(b"a.xml", b"%c.xml" % (97 + n)) for n in range(26))
    tail = bytearray(one[end:])
    tail[8:10] = tail[10:12] = (26).to_bytes(2, "little")
    tail[12:16] = len(directory).to_bytes(4, "little")
    return one[:at] + directory + bytes(tail)


def lying(offset: int, value: int, width: int = 4, *, mark: bytes = b"PK\x01\x02") -> bytes:
    """An archive in which one number of its directory is not true."""
    data = bytearray(zipped({"a.xml": REPORT * 50}))
    at = data.index(mark) + offset
    data[at : at + width] = value.to_bytes(width, "little")
    return bytes(data)


def named(name: str) -> bytes:
    """An archive whose only file has this name."""
    return zipped({name: REPORT})


REFUSED = (
    Hostile("billion laughs", lambda: entities(deep=10, wide=10), 400, ("DOCTYPE", "Remove")),
    Hostile("quadratic blowup", lambda: entities(deep=2, wide=50_000), 400, ("DOCTYPE", "Remove")),
    Hostile("local file", lambda: doctype('t [<!ENTITY x SYSTEM "file:///etc/passwd">]'), 400, ("DOCTYPE",)),
    Hostile("remote file", lambda: doctype('t [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]'), 400, ("DOCTYPE",)),
    Hostile("remote DTD", lambda: doctype('t SYSTEM "http://127.0.0.1:9/x.dtd"'), 400, ("DOCTYPE",)),
    Hostile(
        "parameter entity", lambda: doctype('t [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]'), 400, ("DOCTYPE",)
    ),
    Hostile("harmless DOCTYPE", lambda: b"<!DOCTYPE testsuite>" + REPORT, 400, ("DOCTYPE", "Remove")),
    Hostile(
        "DOCTYPE in UTF-16", lambda: doctype('t [<!ENTITY x "y">]').decode().encode("utf-16"), 400, ("DOCTYPE",)
    ),
    Hostile(
        "DOCTYPE behind a long comment",
        lambda: b"<!--" + b" " * MIB + b"-->" + doctype("t []").partition(b"?>")[2],
        400,
        ("DOCTYPE",),
    ),
    Hostile("DOCTYPE in gzip", lambda: gzip.compress(doctype("t []")), 400, ("DOCTYPE",)),
    Hostile("nesting", lambda: b"<testsuite>" * 100_000, 400, ("nested deeper than 100",)),
    Hostile(
        "nesting inside of a failure",
        lambda: b"<testsuite><testcase name='t'><failure>" + b"<a>" * 100_000,
        400,
        ("nested deeper than 100",),
    ),
    Hostile(
        "a million attributes", lambda: b"<testsuite " + b"".join(b'a%d="" ' % n for n in range(10**6)), 400, ()
    ),
    Hostile("one attribute twice", lambda: b'<testsuite><testcase name="a" name="b"/></testsuite>', 400, ("line 1",)),
    Hostile("not well-formed", lambda: b"<testsuite>\n<testcase name='a&b'/>\n</testsuite>", 400, ("line 2",)),
    Hostile("two reports in one file", lambda: REPORT + REPORT, 400, ("more elements", "by itself")),
    Hostile("nothing", lambda: b"", 400, ("empty",)),
    Hostile("white space", lambda: b" \r\n\t" * 1000, 400, ("empty",)),
    Hostile("only NUL", lambda: b"\0" * 100_000, 400, ("not XML",)),
    Hostile("a page", lambda: b"<!doctype html><html><body>Sign in</body></html>", 400, ("HTML page",)),
    Hostile("a coverage report", lambda: b"<coverage/>", 400, ("coverage report", "Send the test report")),
    Hostile("TRX", lambda: b"<TestRun xmlns='urn:x'><Results/></TestRun>", 400, ("TRX", "JUnit logger")),
    Hostile("NUnit 3", lambda: b"<test-run id='1'/>", 400, ("NUnit 3", "format=junit")),
    Hostile("xUnit.net", lambda: b"<assemblies/>", 400, ("xUnit.net", "-junit")),
    Hostile("SVG", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", 400, ("SVG",)),
    Hostile("binary", lambda: bytes(range(256)) * 40, 400, ("not well-formed",)),
    Hostile("JSON of something else", lambda: b'{"a": [1, 2, 3]}', 400, ("JSON is no test report",)),
    Hostile("JSON that is cut", lambda: b'{"numTotalTests": 1, "testResults": [', 400, ("JSON", "line 1")),
    Hostile("JSON as deep as it goes", lambda: b"[" * 1_000_000, 400, ("JSON",)),
    Hostile("JSON with an endless number", lambda: b'{"a": ' + b"9" * 100_000 + b"}", 400, ("JSON",)),
    Hostile("JSON beyond its limit", lambda: b'{"a": "' + b"x" * (17 * MIB) + b'"}', 413, ("16 MiB", "JUnit XML")),
    Hostile("gzip bomb", lambda: gzip.compress(b" " * (100 * MIB), 1), 413, ("200 times",)),
    Hostile("gzip in gzip", lambda: gzip.compress(gzip.compress(REPORT)), 415, ("archive inside an archive",)),
    Hostile("zip in gzip", lambda: gzip.compress(named("a.xml")), 415, ("archive inside an archive",)),
    Hostile("gzip that is cut", lambda: gzip.compress(REPORT * 1000)[:-20], 400, ("cut short",)),
    Hostile("gzip with a wrong sum", lambda: gzip.compress(REPORT)[:-8] + b"\0" * 8, 400, ("damaged",)),
    Hostile("zip bomb", lambda: zipped({"a.xml": b" " * (100 * MIB)}), 413, ("200 times",)),
    Hostile("zip of one place named often", overlapping, 413, ("200 times",)),
    Hostile("zip in zip", lambda: zipped({"a.zip": named("a.xml")}), 415, ("archive inside an archive",)),
    Hostile("zip in zip, called XML", lambda: zipped({"a.xml": named("a.xml")}), 415, ("archive inside an archive",)),
    Hostile("zip of 2,001 files", lambda: zipped({f"{n}.xml": REPORT for n in range(2001)}), 413, ("2000 files",)),
    Hostile("zip that claims 65,535 files", lambda: lying(10, 0xFFFF, 2, mark=b"PK\x05\x06"), 413, ("files",)),
    Hostile("zip with a huge directory", lambda: lying(12, 0x7FFFFFFF, mark=b"PK\x05\x06"), 413, ("files",)),
    Hostile("zip that claims too little", lambda: lying(24, 10), 400, ("damaged",)),
    Hostile("zip that claims 4 GiB", lambda: lying(24, 0xFFFFFFFE), 413, ("MiB",)),
    Hostile("zip with a wrong sum", lambda: lying(16, 1), 400, ("damaged",)),
    Hostile("zip whose entry lies elsewhere", lambda: lying(42, 0x7FFFFFFF), 400, ("damaged",)),
    Hostile("zip without an end", lambda: named("a.xml")[:-22], 400, ("damaged",)),
    Hostile("zip with a password", lambda: lying(8, 1, 2), 415, ("encrypted",)),
    Hostile("zip by LZMA", lambda: zipped({"a.xml": REPORT}, zipfile.ZIP_LZMA), 415, ("deflate",)),
    Hostile("zip out of its folder", lambda: named("../../etc/cron.d/a.xml"), 400, ("unsafe name",)),
    Hostile("zip at the root", lambda: named("/etc/a.xml"), 400, ("unsafe name",)),
    Hostile("zip on a drive", lambda: named("C:/a.xml"), 400, ("unsafe name",)),
    Hostile("zip with backslashes", lambda: named("..\\a.xml"), 400, ("unsafe name",)),
    Hostile("zip without a report", lambda: named("notes.txt"), 400, ("no XML",)),
    Hostile("empty zip", lambda: zipped({}), 400, ("no XML",)),
    Hostile("tar", lambda: b"a.xml".ljust(257, b"\0") + b"ustar\0" + b"\0" * 512, 415, ("tar file", "gzip or zip")),
    Hostile("bzip2", lambda: b"BZh91AY&SY" + b"\0" * 100, 415, ("bzip2", "gzip or zip")),
    Hostile("zstd", lambda: b"\x28\xb5\x2f\xfd" + b"\0" * 100, 415, ("zstd", "gzip or zip")),
    Hostile("7z", lambda: b"7z\xbc\xaf\x27\x1c" + b"\0" * 100, 415, ("7z", "gzip or zip")),
    Hostile("PDF", lambda: b"%PDF-1.7\n" + b"\0" * 100, 415, ("PDF",)),
)  # fmt: skip


@dataclass(frozen=True)
class Strange:
    """A body that is a report all the same: names and durations as they must be read, and a word of warning."""

    name: str
    body: bytes
    cases: tuple[tuple[str, float | None], ...]
    warning: str = ""

    def __str__(self) -> str:
        return self.name


def timed(*times: str) -> bytes:
    """A case for each way to write a duration."""
    cases = "".join(f'<testcase name="t{n}" time="{time}"/>' for n, time in enumerate(times))
    return f'<testsuite name="s">{cases}</testsuite>'.encode()


def in_(encoding: str, declared: str = "") -> bytes:
    """A case named in letters that encodings disagree about."""
    text = f'<?xml version="1.0" encoding="{declared or encoding}"?><testsuite><testcase name="Grüße"/></testsuite>'
    return text.encode(encoding)


def called(name: bytes) -> bytes:
    """A case of this name, as it stands in the file."""
    return b'<testsuite><testcase name="' + name + b'"/></testsuite>'


ABSURD = (
    "NaN",
    "inf",
    "-inf",
    "Infinity",
    "-1",
    "1e400",
    "-1e400",
    "1e15",
    "0x10",
    "1.2.3",
    "",
    " ",
    "9" * 400,
)
STRANGE = (
    Strange("absurd times", timed(*ABSURD), tuple((f"t{n}", None) for n in range(len(ABSURD)))),
    Strange(
        "times of other places",
        timed("1,234.5", "0,012", "1.234,5", "12s", "1e-3"),
        (("t0", 1234.5), ("t1", 0.012), ("t2", 1234.5), ("t3", 12.0), ("t4", 0.001)),
    ),
    Strange("UTF-16", in_("utf-16"), (("Grüße", None),)),
    Strange("UTF-16 without a mark", in_("utf-16-le", "utf-16"), (("Grüße", None),)),
    Strange("UTF-32", in_("utf-32"), (("Grüße", None),)),
    Strange("Latin-1", in_("latin-1", "ISO-8859-1"), (("Grüße", None),)),
    Strange("Windows", in_("cp1252", "windows-1252"), (("Grüße", None),)),
    Strange("UTF-8 that says UTF-16", in_("utf-8", "utf-16"), (("Grüße", None),)),
    Strange("UTF-8 that says something unknown", in_("utf-8", "x-none"), (("Grüße", None),), "encoding x-none"),
    Strange("Latin-1 that says UTF-8", in_("latin-1", "utf-8"), (("Gr\ufffd\ufffde", None),), "not valid UTF-8"),
    Strange("NUL", called(b"a\0b"), (("a\ufffdb", None),), "control characters"),
    Strange("bell and backspace", called(b"a\x07\x08b"), (("a\ufffd\ufffdb", None),), "control characters"),
    Strange("half a character", called(b"a&#xD800;b"), (("a\ufffdb", None),), "control characters"),
    Strange("cut short", REPORT[:-10] + b"<testcase na", (("t", None),), "cut short"),
    Strange("a log line behind it", REPORT + b"\nDone in 3 s.\n", (("t", None),), "after the end"),
    Strange("no case at all", b'<testsuites name="s" tests="0"/>', (), "no test at all"),
    Strange("absurd counts", b'<testsuite tests="-1" failures="1e9">' + CASE + b"</testsuite>", (("t", None),)),
)  # fmt: skip
