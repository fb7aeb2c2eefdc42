"""Every upload is either documents or a clear refusal, in bounded memory."""

import gzip
import io
import zipfile
import zlib

import pytest

from core.errors import TooLargeError, UnsupportedMediaError, ValidationError
from core.limits import MIB, Limits
from core.unpack import unpack

REPORT = b'<testsuite name="s"><testcase name="t"/></testsuite>'
SMALL = Limits(decoded_bytes=4 * MIB, entries=10, entry_bytes=2 * MIB, wire_bytes=MIB)


def documents(data: bytes, name: str = "up", limits: Limits = SMALL) -> list[tuple[str, bytes]]:
    return [(inner, stream.read()) for inner, stream in unpack(data, name=name, limits=limits)]


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def linked() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo("a.xml")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return out.getvalue()


def flagged_as_encrypted() -> bytes:
    data = bytearray(zipped({"a.xml": REPORT}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def lying_about_its_size() -> bytes:
    data = bytearray(zipped({"a.xml": REPORT * 100}))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (10).to_bytes(4, "little")
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (REPORT, ["up"]),
        (gzip.compress(REPORT), ["up"]),
        (gzip.compress(REPORT[:10]) + gzip.compress(REPORT[10:]) + b"\0" * 9, ["up"]),
        (zipped({"a/b.xml": REPORT, "c.XML": REPORT, "shot.png": b"png"}), ["a/b.xml", "c.XML"]),
        (zipped({"a.xml": REPORT, "test-results/trace.zip": b"PK"}), ["a.xml"]),
        (zipped({"a.xml": REPORT, "__MACOSX/._a.xml": b"\0\5\x16\7"}), ["a.xml"]),
        (zipped({"out\\a.xml": REPORT}), ["out\\a.xml"]),
    ],
)
def test_documents_come_out_whole(data, names):
    assert documents(data) == [(name, REPORT) for name in names]


def test_a_document_can_be_read_twice():
    for data in (REPORT, gzip.compress(REPORT), zipped({"a.xml": REPORT})):
        uploads = unpack(data, name="up", limits=SMALL)
        _, stream = next(uploads)
        first = stream.read()
        stream.seek(0)
        assert stream.read() == first == REPORT


@pytest.mark.parametrize(
    ("data", "error", "word"),
    [
        (b"\0" * (5 * MIB), TooLargeError, "4 MiB"),
        (gzip.compress(b"\0" * (3 * MIB)), TooLargeError, "200 times"),
        (gzip.compress(gzip.compress(REPORT)), UnsupportedMediaError, "inside an archive"),
        (gzip.compress(zipped({"a.xml": REPORT})), UnsupportedMediaError, "inside an archive"),
        (gzip.compress(REPORT)[:-12], ValidationError, "cut short"),
        (gzip.compress(REPORT)[:-8] + b"\0" * 8, ValidationError, "damaged"),
        (b"\x1f\x8b" + b"junk" * 10, ValidationError, "damaged"),
        (b"PK\x03\x04 and nothing", ValidationError, "damaged"),
        (zipped({"a.xml": REPORT})[:-30], ValidationError, "damaged"),
        (zipped({"a.xml": b"\0" * (3 * MIB)}), TooLargeError, "2 MiB"),
        (zipped({"a.xml": b"\0" * (2 * MIB)}), TooLargeError, "200 times"),
        (zipped({f"{n}.xml": REPORT for n in range(11)}), TooLargeError, "10 files"),
        (zipped({"../a.xml": REPORT}), ValidationError, "unsafe"),
        (zipped({"/etc/a.xml": REPORT}), ValidationError, "unsafe"),
        (zipped({"C:/a.xml": REPORT}), ValidationError, "unsafe"),
        (zipped({"a\\..\\..\\b.xml": REPORT}), ValidationError, "unsafe"),
        (zipped({"\\\\host\\b.xml": REPORT}), ValidationError, "unsafe"),
        (zipped({"inner.zip": zipped({"a.xml": REPORT})}), UnsupportedMediaError, "inside an archive"),
        (zipped({"a.xml": zipped({"a.xml": REPORT})}), UnsupportedMediaError, "inside an archive"),
        (zipped({"a.xml": REPORT}, zipfile.ZIP_LZMA), UnsupportedMediaError, "deflate"),
        (zipped({"notes.txt": b"hello"}), ValidationError, "no XML"),
        (zipped({}), ValidationError, "no XML"),
        (linked(), ValidationError, "symbolic link"),
        (flagged_as_encrypted(), UnsupportedMediaError, "encrypted"),
        (lying_about_its_size(), ValidationError, "damaged"),
        (b"BZh91AY", UnsupportedMediaError, "bzip2"),
        (b"\x28\xb5\x2f\xfd0", UnsupportedMediaError, "zstd"),
        (b"a.xml".ljust(257, b"\0") + b"ustar\0", UnsupportedMediaError, "tar"),
    ],
)
def test_hostile_uploads_are_refused_with_a_reason(data, error, word):
    with pytest.raises(error, match=word):
        documents(data)


def test_a_directory_that_lies_about_its_length_is_refused_before_it_is_read():
    data = bytearray(zipped({"a.xml": REPORT}))
    at = data.rindex(b"PK\x05\x06")
    data[at + 12 : at + 16] = (0xFFFFFFFF).to_bytes(4, "little")
    with pytest.raises(TooLargeError, match="files"):
        documents(bytes(data))


def test_damage_in_the_middle_is_found_while_reading():
    noise = zlib.compress(bytes(range(256)) * 4000, 1)
    data = bytearray(gzip.compress(noise, mtime=0))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ValidationError, match="damaged"):
        documents(bytes(data))
