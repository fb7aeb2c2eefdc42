"""The packed results of up to 16,384 tests of a run: outcomes and durations against a roster."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import Index, insert
from sqlmodel import Field, SQLModel

from core.codes import ABSENT, Codes, buckets, pack_durations, pack_outcomes
from core.ids import Ids, pack_ids
from storage.columns import BigId, Bytes, UtcTime
from storage.database import Tx
from storage.roster import Chosen, places_in


class RunPartRow(SQLModel, table=True):
    """Outcomes lie before durations, so that reading only them does not walk the longer column."""

    __tablename__ = "run_part"
    __table_args__ = (
        Index("ix_part_list", "project_id", "list_id", "at", "run_pk"),
        Index("ix_part_extra", "project_id", "extra_high"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    project_id: int = Field(primary_key=True, sa_type=BigId)
    at: datetime = Field(primary_key=True, sa_type=UtcTime)
    run_pk: int = Field(primary_key=True, sa_type=BigId)
    part: int = Field(primary_key=True)
    list_id: int = Field(sa_type=BigId)
    extra_low: int | None = Field(default=None, sa_type=BigId)
    extra_high: int | None = Field(default=None, sa_type=BigId)
    extra_ids: bytes | None = Field(default=None, sa_type=Bytes)
    """Tests of this run that are not on the roster; their codes follow the roster's."""
    outcomes: bytes = Field(sa_type=Bytes)
    durations: bytes = Field(sa_type=Bytes)
    """Of the tests present only."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The results of one part, sorted by id, each id once."""

    ids: Ids
    codes: Codes
    seconds: npt.NDArray[np.float64]


def add_part(
    tx: Tx, project_id: int, run_pk: int, at: datetime, *, part: int, chosen: Chosen, columns: Columns
) -> None:
    """Pack one part of a run."""
    outcomes = np.full(len(chosen.members) + len(chosen.extra), ABSENT, np.uint8)
    places = places_in(chosen, columns.ids)
    outcomes[places] = columns.codes
    order = np.argsort(places, kind="stable") if len(chosen.extra) else slice(None)
    extra = chosen.extra
    values = {
        "project_id": project_id,
        "at": at,
        "run_pk": run_pk,
        "part": part,
        "list_id": chosen.list_id,
        "extra_low": int(extra[0]) if len(extra) else None,
        "extra_high": int(extra[-1]) if len(extra) else None,
        "extra_ids": pack_ids(extra) if len(extra) else None,
        "outcomes": pack_outcomes(outcomes),
        "durations": pack_durations(buckets(columns.seconds[order])),
    }
    tx.execute(_INSERT, values)


_INSERT = insert(RunPartRow)
