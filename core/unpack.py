"""Uploads as they come (plain, gzip, zip) into the documents inside: streamed, bounded, nothing written anywhere."""

import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from core.errors import TooLargeError, UnsupportedMediaError, ValidationError
from core.limits import DEFAULT, MIB, Limits

_CHUNK = 1 << 16
_GZIP, _ZIP = b"\x1f\x8b", b"PK"
_FOREIGN = (
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"7z\xbc\xaf", "7z"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"Rar!", "rar"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"SQLite", "SQLite"),
)
_TAR_AT = 257
_ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".zst", ".rar", ".jar")
_DOCUMENTS = (".xml", ".json", ".jsonl", ".ndjson", ".ctrf")
_PICTURES_OF_RUNS = ("trace.zip",)
"""Playwright leaves these beside its report: known, large and no report."""
_DIRECTORY_ENTRY = 46 + 512
"""What an entry of the central directory takes at least, with room for a long path."""
_END, _END_SIZE = b"PK\x05\x06", 22


def unpack(
    source: BinaryIO | bytes, *, name: str, limits: Limits = DEFAULT
) -> Iterator[tuple[str, BinaryIO]]:
    """Name and content of each document; read one before asking for the next."""
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    if not source.seekable():
        source = io.BytesIO(_all(source, name, limits.wire_bytes))
    head = _head(source)
    if head.startswith(_GZIP):
        inner = _Gunzip(source, name=name, limits=limits)
        _no_archive(_head(inner), f"the content of {name or 'the upload'}")
        yield name.removesuffix(".gz"), cast("BinaryIO", inner)
    elif head.startswith(_ZIP):
        yield from _unzip(source, name=name, limits=limits)
    else:
        _no_archive(head, name or "the upload")
        yield name, cast("BinaryIO", _Bounded(source, name=name, limit=limits.decoded_bytes))


def _all(source: BinaryIO, name: str, limit: int) -> bytes:
    data = source.read(limit + 1)
    if len(data) > limit:
        raise _too_large(name, limit)
    return data


def _head(source: "BinaryIO | _Stream") -> bytes:
    head = source.read(512)
    source.seek(0)
    return head


def _no_archive(head: bytes, what: str) -> None:
    if head.startswith((_GZIP, b"PK\x03\x04", b"PK\x05\x06")):
        raise UnsupportedMediaError(f"{what} is an archive inside an archive; send it unpacked once.")
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        raise UnsupportedMediaError(f"{what} is a tar file; send plain files, gzip or zip.")
    for start, kind in _FOREIGN:
        if head.startswith(start):
            raise UnsupportedMediaError(f"{what} is a {kind} file; send plain files, gzip or zip.")


def _too_large(name: str, limit: int) -> TooLargeError:
    return TooLargeError(
        f"{name or 'the upload'} holds more than {limit / MIB:.0f} MiB; upload it in parts, one a shard or module."
    )


class _Stream:
    """What a reader of documents asks of a file: `read`, and `seek` back to the beginning."""

    def __init__(self, open_: Callable[[], Iterator[bytes]]) -> None:
        self._open = open_
        self._chunks = open_()
        self._rest = b""

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return 0

    def seek(self, _offset: int, _whence: int = 0, /) -> int:
        self._chunks, self._rest = self._open(), b""
        return 0

    def read(self, size: int = -1, /) -> bytes:
        parts = [self._rest]
        have = len(self._rest)
        while size < 0 or have < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            parts.append(chunk)
            have += len(chunk)
        data = b"".join(parts)
        size = len(data) if size < 0 else size
        self._rest = data[size:]
        return data[:size]


class _Bounded(_Stream):
    """A plain document, refused as soon as it is longer than allowed."""

    def __init__(self, source: BinaryIO, *, name: str, limit: int) -> None:
        self._source, self._name, self._limit = source, name, limit
        super().__init__(self._pieces)

    def _pieces(self) -> Iterator[bytes]:
        self._source.seek(0)
        taken = 0
        while chunk := self._source.read(4 * _CHUNK):
            taken += len(chunk)
            if taken > self._limit:
                raise _too_large(self._name, self._limit)
            yield chunk


class _Gunzip(_Stream):
    """All members of a gzip file, bounded in size and ratio, refused when damaged or cut off."""

    def __init__(self, source: BinaryIO, *, name: str, limits: Limits) -> None:
        self._source, self._name, self._limits = source, name, limits
        super().__init__(self._pieces)

    def _pieces(self) -> Iterator[bytes]:
        self._source.seek(0)
        member = zlib.decompressobj(wbits=31)
        begun = False
        read = written = 0
        while chunk := self._source.read(_CHUNK):
            read += len(chunk)
            while chunk:
                begun = True
                out = self._inflated(member, chunk)
                written += len(out)
                self._check(read, written)
                yield out
                chunk = member.unconsumed_tail
                if member.eof:
                    chunk = member.unused_data.lstrip(b"\0")
                    member = zlib.decompressobj(wbits=31)
                    begun = False
        if begun:
            raise ValidationError(f"{self._name or 'the upload'} is a gzip file that is cut short.")

    def _inflated(self, member: "zlib._Decompress", chunk: bytes) -> bytes:
        try:
            return member.decompress(chunk, MIB)
        except zlib.error as error:
            raise ValidationError(
                f"{self._name or 'the upload'} is a damaged gzip file ({error})."
            ) from error

    def _check(self, read: int, written: int) -> None:
        if written > self._limits.decoded_bytes:
            raise _too_large(self._name, self._limits.decoded_bytes)
        if written > MIB and written > read * self._limits.ratio:
            raise TooLargeError(
                f"{self._name or 'the upload'} unpacks to more than {self._limits.ratio} times its size; "
                "send it uncompressed if it is what it claims."
            )


def document_names(source: BinaryIO, *, name: str, limits: Limits = DEFAULT) -> list[str]:
    """What `unpack` would give, by name and unread."""
    head = _head(source)
    if not head.startswith(_ZIP):
        return [name.removesuffix(".gz") if head.startswith(_GZIP) else name]
    with _opened(source, name or "the upload", limits) as archive:
        return [entry.filename for entry in _documents(archive, name or "the upload", limits)]


def _unzip(source: BinaryIO, *, name: str, limits: Limits) -> Iterator[tuple[str, BinaryIO]]:
    what = name or "the upload"
    with _opened(source, what, limits) as archive:
        for entry in _documents(archive, what, limits):
            stream = _Entry(archive, entry, what)
            _no_archive(_head(stream), f"{entry.filename} in {what}")
            yield entry.filename, cast("BinaryIO", stream)


def _opened(source: BinaryIO, what: str, limits: Limits) -> zipfile.ZipFile:
    _check_directory(source, what, limits)
    try:
        return zipfile.ZipFile(source)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise ValidationError(f"{what} is a damaged zip file ({error}).") from error


def _documents(archive: zipfile.ZipFile, what: str, limits: Limits) -> list[zipfile.ZipInfo]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    for entry in entries:
        _check_entry(entry, what, limits)
    _check_total(entries, what, limits)
    documents = [
        entry for entry in entries if entry.filename.lower().endswith(_DOCUMENTS) and not _of_a_mac(entry)
    ]
    if not documents:
        raise ValidationError(f"{what} holds no XML or JSON file.")
    return documents


def _of_a_mac(entry: zipfile.ZipInfo) -> bool:
    """What macOS knows of a.xml it puts beside it, as ._a.xml."""
    return entry.filename.rpartition("/")[2].startswith("._")


def _check_directory(source: BinaryIO, what: str, limits: Limits) -> None:
    """A directory of a million entries would take a gigabyte before anybody could count it."""
    size = source.seek(0, io.SEEK_END)
    source.seek(max(size - _CHUNK - _END_SIZE, 0))
    tail = source.read()
    source.seek(0)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        raise ValidationError(f"{what} is a damaged zip file (its directory is missing).")
    count = int.from_bytes(tail[at + 10 : at + 12], "little")
    directory = int.from_bytes(tail[at + 12 : at + 16], "little")
    if count > limits.entries or directory > limits.entries * _DIRECTORY_ENTRY:
        raise TooLargeError(f"{what} holds more than {limits.entries} files.")


def _check_entry(entry: zipfile.ZipInfo, what: str, limits: Limits) -> None:
    # Windows PowerShell writes backslashes; nothing is ever written under these names.
    path = entry.orig_filename.replace("\\", "/")
    if path.startswith("/") or "\0" in path or path[1:2] == ":" or ".." in path.split("/"):
        raise ValidationError(f"{what} holds a file with an unsafe name ({path[:100]!r}).")
    if entry.flag_bits & 1:
        raise UnsupportedMediaError(f"{path} in {what} is encrypted.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ValidationError(f"{path} in {what} is a symbolic link.")
    if path.lower().endswith(_ARCHIVES) and not path.endswith(_PICTURES_OF_RUNS):
        raise UnsupportedMediaError(f"{path} in {what} is an archive inside an archive; send it by itself.")
    if path.lower().endswith(_DOCUMENTS) and entry.compress_type not in {
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    }:
        raise UnsupportedMediaError(
            f"{path} in {what} is compressed by a method that is not read here; use deflate."
        )
    if entry.file_size > limits.entry_bytes and path.lower().endswith(_DOCUMENTS):
        raise _too_large(f"{path} in {what}", limits.entry_bytes)


def _check_total(entries: list[zipfile.ZipInfo], what: str, limits: Limits) -> None:
    if len(entries) > limits.entries:
        raise TooLargeError(f"{what} holds more than {limits.entries} files.")
    total = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if total > limits.decoded_bytes:
        raise _too_large(what, limits.decoded_bytes)
    if total > MIB and total > packed * limits.ratio:
        raise TooLargeError(f"{what} unpacks to more than {limits.ratio} times its size.")


class _Entry(_Stream):
    """One file of an archive; zipfile itself stops at the declared size and checks the sum."""

    def __init__(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, what: str) -> None:
        self._archive, self._entry, self._what = archive, entry, what
        super().__init__(self._pieces)

    def _pieces(self) -> Iterator[bytes]:
        try:
            with self._archive.open(self._entry) as file:
                while chunk := file.read(4 * _CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise ValidationError(f"{self._entry.filename} in {self._what} is damaged ({error}).") from error
