"""Sorted test ids as bytes: differences as varints, then zlib; ids made together cost next to nothing."""

import zlib

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
NO_IDS: Ids = np.empty(0, np.int64)

_SEVEN = 7
_MAX_BYTES = 9
_LOW = 0x7F
_MORE = 0x80


def pack_ids(ids: Ids) -> bytes:
    """`ids` ascending and not negative."""
    return zlib.compress(_varints(np.diff(ids, prepend=0)), 6)


def unpack_ids(data: bytes) -> Ids:
    """The same ids again."""
    return np.cumsum(_numbers(np.frombuffer(zlib.decompress(data), np.uint8)), dtype=np.int64)


def pack_signed(ids: Ids) -> bytes:
    """Ids in any order: differences folded to be positive, then as above."""
    steps = np.diff(ids, prepend=0)
    return zlib.compress(_varints((steps << 1) ^ (steps >> 63)), 6)


def unpack_signed(data: bytes) -> Ids:
    """The same ids in the same order."""
    folded = _numbers(np.frombuffer(zlib.decompress(data), np.uint8))
    return np.cumsum((folded >> 1) ^ -(folded & 1), dtype=np.int64)


def _varints(numbers: Ids) -> bytes:
    if not len(numbers):
        return b""
    if numbers.max() <= _LOW:
        return numbers.astype(np.uint8).tobytes()
    # One column per group of seven bits; a group is kept when any group above or it itself is set.
    shifts = np.arange(_MAX_BYTES) * _SEVEN
    groups = (numbers[:, None] >> shifts).astype(np.int64)
    kept = groups > 0
    kept[:, 0] = True
    more = np.zeros_like(kept)
    more[:, :-1] = kept[:, 1:]
    return bytes(((groups & _LOW) | np.where(more, _MORE, 0)).astype(np.uint8)[kept])


def _numbers(data: npt.NDArray[np.uint8]) -> Ids:
    if not len(data) or data.max() <= _LOW:
        return data.astype(np.int64)
    last = data <= _LOW
    starts = np.concatenate(([0], np.flatnonzero(last)[:-1] + 1))
    place = np.arange(len(data)) - np.repeat(starts, np.diff(np.append(starts, len(data))))
    values = (data & _LOW).astype(np.int64) << (place * _SEVEN)
    return np.add.reduceat(values, starts)


def contains(ids: Ids, wanted: Ids) -> npt.NDArray[np.bool_]:
    """For each wanted id whether the ascending `ids` hold it."""
    if not len(ids):
        return np.zeros(len(wanted), np.bool_)
    place = np.searchsorted(ids, wanted)
    place[place == len(ids)] = 0
    return np.asarray(ids[place] == wanted)


def place_of(ids: Ids, wanted: int) -> int:
    """Where the ascending `ids` hold this one; -1 when they do not."""
    place = int(np.searchsorted(ids, wanted))
    return place if place < len(ids) and ids[place] == wanted else -1
