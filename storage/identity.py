"""From the names of a report to test ids: by blocks where known, by digest where not, new rows where needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from core.codes import PASSED, SKIPPED
from core.digests import digests
from core.ids import NO_IDS, Ids
from core.sheet import Block, Sheet
from storage.budget import allowed
from storage.database import Tx
from storage.knowledge import Knowledge, forget, knowledge, lock_identities
from storage.test_case import create_cases, find_ids
from storage.test_chunk import add_chunks, read_chunks

UNKNOWN = -1
"""The id of a name that was only counted."""


@dataclass(frozen=True, slots=True)
class Named:
    """The ids of a sheet's tests in its order, and which of them are new."""

    ids: Ids
    created: Ids
    withheld: int = 0
    """Passing tests beyond the budget for new names: counted, without an id."""


@dataclass(frozen=True, slots=True)
class When:
    """When the tests ran, when they were told, and whether these are the project's first results."""

    at: datetime
    now: datetime
    first: bool = False


def name_tests(tx: Tx, project_id: int, sheet: Sheet, when: When) -> Named:
    """Ids of all tests of the sheet, new ones created."""
    while True:
        named = _attempt(tx, project_id, sheet, when)
        if named is not None:
            return named
        forget(tx, project_id)  # somebody erased or renamed meanwhile: what we knew is void


def known_ids(tx: Tx, project_id: int, sheet: Sheet) -> Ids:
    """Ids of the tests that are known; UNKNOWN for others. Writes nothing."""
    ids, missing = _by_blocks(tx, knowledge(tx, project_id), sheet)
    if missing:
        places = _places(missing)
        names = digests(sheet.keys[place] for place in places)
        found = find_ids(tx, project_id, names)
        ids[places] = [found.get(value, UNKNOWN) for value in names]
    return ids


def _attempt(tx: Tx, project_id: int, sheet: Sheet, when: When) -> Named | None:
    known = knowledge(tx, project_id)
    ids, missing = _by_blocks(tx, known, sheet)
    if not _store_repeated(tx, known, sheet):
        return None
    if not missing:
        return Named(ids, NO_IDS)
    places = _places(missing)
    names = digests(sheet.keys[place] for place in places)
    found = find_ids(tx, project_id, names)
    created: dict[bytes, int] = {}
    if any(value not in found for value in names):
        if not lock_identities(tx, project_id):
            return None
        created = _create(tx, project_id, sheet, places, names=names, found=found, when=when)
    found |= created
    ids[places] = [found.get(value, UNKNOWN) for value in names]
    new = np.fromiter(created.values(), np.int64, len(created))
    new.sort()
    _remember(known, missing, ids, new)
    return Named(ids, new, int(np.count_nonzero(ids == UNKNOWN)))


def _by_blocks(tx: Tx, known: Knowledge, sheet: Sheet) -> tuple[Ids, list[Block]]:
    ids = np.full(len(sheet.keys), UNKNOWN, np.int64)
    unknown = [block for block in sheet.blocks if not _fill(ids, block, known.block(block.key))]
    if not unknown:
        return ids, unknown
    stored = read_chunks(tx, known.project_id, [block.key for block in unknown])
    known.found.blocks |= stored
    return ids, [block for block in unknown if not _fill(ids, block, stored.get(block.key))]


def _fill(ids: Ids, block: Block, found: Ids | None) -> bool:
    if found is None:
        return False
    ids[block.start : block.stop] = found
    return True


def _store_repeated(tx: Tx, known: Knowledge, sheet: Sheet) -> bool:
    """Give rows to the blocks that have now come twice; False when the epoch has moved."""
    keys = known.unstored(block.key for block in sheet.blocks)
    if not keys:
        return True
    if not lock_identities(tx, known.project_id):
        return False
    chunks = {key: ids for key in sorted(set(keys)) if (ids := known.block(key)) is not None}
    add_chunks(tx, known.project_id, chunks)
    known.found.stored |= set(keys)
    return True


def _places(blocks: Sequence[Block]) -> list[int]:
    return [place for block in blocks for place in range(block.start, block.stop)]


def _create(
    tx: Tx,
    project_id: int,
    sheet: Sheet,
    places: Sequence[int],
    *,
    names: Sequence[bytes],
    found: dict[bytes, int],
    when: When,
) -> dict[bytes, int]:
    """Rows for the names nobody has created meanwhile; `found` learns of those somebody has."""
    place_of = {value: place for value, place in zip(names, places, strict=True) if value not in found}
    found |= find_ids(tx, project_id, list(place_of))
    new = [value for value in place_of if value not in found]
    plain = [value for value in new if sheet.codes[place_of[value]] in {PASSED, SKIPPED}]
    granted = allowed(tx, project_id, plain, report=len(sheet.keys), first=when.first, now=when.now)
    withheld = set(plain) - granted
    wanted = {value: sheet.keys[place_of[value]] for value in new if value not in withheld}
    return create_cases(tx, project_id, wanted, when.at)


def _remember(known: Knowledge, blocks: Sequence[Block], ids: Ids, new: Ids) -> None:
    """Blocks wholly known or wholly new come again; one with a new name among old ones perhaps never does."""
    is_new = np.isin(ids, new) if len(new) else np.zeros(len(ids), np.bool_)
    for block in blocks:
        part = ids[block.start : block.stop]
        fresh = is_new[block.start : block.stop]
        if part.min() >= 0 and (fresh.all() or not fresh.any()):
            known.remember(block.key, part.copy())
