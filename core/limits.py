"""How much of a foreign report is read: one set of values for every door."""

from dataclasses import dataclass

KIB = 2**10
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what people send; sizes in bytes unless the name says otherwise."""

    wire_bytes: int = 64 * MIB
    """An upload as it arrives, compressed or not."""
    decoded_bytes: int = 512 * MIB
    """All documents of one upload once unpacked."""
    json_bytes: int = 16 * MIB
    """One JSON document, which cannot be read in parts (`go test -json` can)."""
    cases: int = 3_000_000
    """Test cases in one document."""
    repeated: int = 100_000
    """Tests that occur more than once in one streamed document."""
    text_chars: int = 8 * KIB
    """Characters kept of a failure's message and trace: half from its beginning, half from its end."""
    output_chars: int = KIB
    """Characters kept from the beginning, and as many from the end, of a failing case's output."""
    name_chars: int = 2 * KIB
    """Characters of a name that take part in its identity; the rest is replaced by a checksum."""
    depth: int = 100
    """Elements inside elements."""
    entries: int = 2_000
    """Files in one archive or multipart body."""
    entry_bytes: int = 256 * MIB
    """One file of an archive once unpacked."""
    ratio: int = 200
    """Bytes out for one byte in; checked beyond the first mebibyte."""


DEFAULT = Limits()
