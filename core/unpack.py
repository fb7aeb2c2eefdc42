"""Uploads as they come (plain, gzip, zip) into the documents inside, each bounded, nothing written anywhere."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

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
)


def unpack(
    source: BinaryIO | bytes, *, name: str, limits: Limits = DEFAULT
) -> Iterator[tuple[str, BinaryIO]]:
    """Name and content of each document; look at one before asking for the next."""
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    head = source.read(8)
    source.seek(0)
    if head.startswith(_GZIP):
        yield name.removesuffix(".gz"), _gunzipped(source, name=name, limits=limits)
    elif head.startswith(_ZIP):
        yield from _unzipped(source, name=name, limits=limits)
    else:
        _refuse_foreign(head, name)
        yield name, source


def _refuse_foreign(head: bytes, name: str) -> None:
    for start, kind in _FOREIGN:
        if head.startswith(start):
            raise UnsupportedMediaError(
                f"{name or 'the upload'} is a {kind} file; send it plain, as gzip or as zip."
            )


def _gunzipped(source: BinaryIO, *, name: str, limits: Limits) -> BinaryIO:
    inflate = zlib.decompressobj(wbits=31)
    out = bytearray()
    taken = 0
    while chunk := source.read(_CHUNK):
        taken += len(chunk)
        try:
            out += inflate.decompress(chunk)
        except zlib.error as error:
            raise ValidationError(f"{name or 'the upload'} is a damaged gzip file ({error}).") from error
        if len(out) > limits.decoded_bytes or (len(out) > MIB and len(out) > taken * limits.ratio * 10):
            raise TooLargeError(f"{name or 'the upload'} unpacks to more than the limits allow.")
    return io.BytesIO(bytes(out))


def _unzipped(source: BinaryIO, *, name: str, limits: Limits) -> Iterator[tuple[str, BinaryIO]]:
    try:
        archive = zipfile.ZipFile(source)
    except zipfile.BadZipFile as error:
        raise ValidationError(f"{name or 'the upload'} is a damaged zip file ({error}).") from error
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > limits.entries:
            raise TooLargeError(f"{name or 'the upload'} holds more than {limits.entries} files.")
        if sum(entry.file_size for entry in entries) > limits.decoded_bytes:
            raise TooLargeError(f"{name or 'the upload'} unpacks to more than the limits allow.")
        for entry in entries:
            if entry.flag_bits & 1:
                raise ValidationError(f"{entry.filename} in {name or 'the upload'} is encrypted.")
            if entry.filename.lower().endswith((".xml", ".json")):
                try:
                    yield entry.filename, io.BytesIO(archive.read(entry))
                except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
                    raise ValidationError(
                        f"{entry.filename} in {name or 'the upload'} is damaged ({error})."
                    ) from error
