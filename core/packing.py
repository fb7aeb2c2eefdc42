"""Write and read scoring state as bytes: a stream of integers and a list of names, compact and versioned."""

import struct
from array import array
from collections.abc import Iterable
from typing import Final

from core.errors import ProcessingError

VERSION: Final = 1
_HEAD: Final = struct.Struct("<BIH")


class Packer:
    """Collects 64-bit integers and short names in order."""

    def __init__(self) -> None:
        self._numbers = array("q")
        self._names: list[str] = []

    def put(self, *numbers: int) -> None:
        self._numbers.extend(numbers)

    def put_all(self, numbers: Iterable[int]) -> None:
        """A list, preceded by its length."""
        items = array("q", numbers)
        self._numbers.append(len(items))
        self._numbers.extend(items)

    def include(self, others: "Iterable[Packer]") -> None:
        """All that others have collected, in their order."""
        for other in others:
            self._numbers += other._numbers  # noqa: SLF001 - another one of its kind
            self._names += other._names  # noqa: SLF001 - see above

    def name(self, text: str) -> None:
        self._names.append(text.replace("\0", ""))

    def bytes(self) -> bytes:
        names = "\0".join(self._names).encode("utf-8", "surrogatepass")
        return _HEAD.pack(VERSION, len(self._numbers), len(self._names)) + self._numbers.tobytes() + names


class Unpacker:
    """Hands the same values back in the same order."""

    def __init__(self, data: bytes) -> None:
        version, count, names = _HEAD.unpack_from(data)
        if version != VERSION:
            raise ProcessingError(
                f"Scoring state of version {version} cannot be read; rebuild it from history."
            )
        end = _HEAD.size + 8 * count
        self._numbers = array("q", data[_HEAD.size : end])
        self._names = data[end:].decode("utf-8", "surrogatepass").split("\0") if names else []
        self._at = 0
        self._name_at = 0

    def get(self) -> int:
        self._at += 1
        return self._numbers[self._at - 1]

    @property
    def done(self) -> bool:
        """Everything has been handed back."""
        return self._at == len(self._numbers)

    def take(self, count: int) -> "array[int]":
        self._at += count
        return self._numbers[self._at - count : self._at]

    def get_all(self) -> "array[int]":
        return self.take(self.get())

    def name(self) -> str:
        self._name_at += 1
        return self._names[self._name_at - 1]
