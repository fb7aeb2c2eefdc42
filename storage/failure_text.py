"""Failure messages of a run, packed sixty-four together: those of one run are much alike."""

import json
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlmodel import Field, SQLModel, col

from storage.columns import BigId, Bytes, UtcTime
from storage.database import Tx

CHARS = 4_000
"""Kept of one message."""
RUN_CHARS = 2_000_000
"""Kept of one run's messages in full; in an outage the rest is kept in short."""
SHORT = 200
BATCH = 64


class FailureTextRow(SQLModel, table=True):
    """Up to sixty-four messages."""

    __tablename__ = "failure_text"
    __table_args__ = ({"postgresql_partition_by": "RANGE (at)"},)

    project_id: int = Field(primary_key=True, sa_type=BigId)
    at: datetime = Field(primary_key=True, sa_type=UtcTime)
    run_pk: int = Field(primary_key=True, sa_type=BigId)
    batch: int = Field(primary_key=True)
    texts: bytes = Field(sa_type=Bytes)


class Texts:
    """Numbers the distinct messages of a run."""

    def __init__(self) -> None:
        """None yet."""
        self._numbers: dict[str, int] = {}
        self._chars = 0

    def number(self, message: str | None) -> int | None:
        """Where the message will be found; None for none."""
        if not message:
            return None
        text = message[: CHARS if self._chars < RUN_CHARS else SHORT]
        if text not in self._numbers:
            self._numbers[text] = len(self._numbers)
            self._chars += len(text)
        return self._numbers[text]

    def all(self) -> Sequence[str]:
        """In order of their numbers."""
        return list(self._numbers)


def add_texts(tx: Tx, project_id: int, run_pk: int, at: datetime, texts: Sequence[str]) -> None:
    """Store a run's messages."""
    rows = [
        {
            "project_id": project_id,
            "at": at,
            "run_pk": run_pk,
            "batch": start // BATCH,
            "texts": _pack(texts[start : start + BATCH]),
        }
        for start in range(0, len(texts), BATCH)
    ]
    if rows:
        tx.execute(insert(FailureTextRow), rows)


def read_texts(
    tx: Tx, project_id: int, wanted: Iterable[tuple[datetime, int, int]]
) -> dict[tuple[int, int], str]:
    """Messages by (run, number), for these (time, run, number)."""
    places = {(at, run_pk, number // BATCH) for at, run_pk, number in wanted}
    query = select(col(FailureTextRow.texts)).where(col(FailureTextRow.project_id) == project_id)
    found: dict[tuple[int, int], str] = {}
    for at, run_pk, batch in places:
        here = (col(FailureTextRow.at) == at, col(FailureTextRow.run_pk) == run_pk)
        data = tx.execute(query.where(*here, col(FailureTextRow.batch) == batch)).scalar()
        texts = _unpack(data) if data else []
        found.update(((run_pk, batch * BATCH + place), text) for place, text in enumerate(texts))
    return found


def blank_texts(tx: Tx, project_id: int, wanted: Iterable[tuple[datetime, int, int]]) -> None:
    """Erase these messages, by (time, run, number)."""
    batches: dict[tuple[datetime, int, int], set[int]] = {}
    for at, run_pk, number in wanted:
        batches.setdefault((at, run_pk, number // BATCH), set()).add(number % BATCH)
    for (at, run_pk, batch), places in batches.items():
        here = (
            (col(FailureTextRow.project_id) == project_id)
            & (col(FailureTextRow.at) == at)
            & (col(FailureTextRow.run_pk) == run_pk)
            & (col(FailureTextRow.batch) == batch)
        )
        texts = _unpack(tx.execute(select(col(FailureTextRow.texts)).where(here)).scalar_one())
        kept = ["" if place in places else text for place, text in enumerate(texts)]
        tx.execute(update(FailureTextRow).where(here).values(texts=_pack(kept)))


def _pack(texts: Sequence[str]) -> bytes:
    return zlib.compress(json.dumps(texts).encode(), 6)


def _unpack(data: bytes) -> list[str]:
    return [str(text) for text in json.loads(zlib.decompress(data))]
