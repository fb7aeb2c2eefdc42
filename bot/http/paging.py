"""`limit` and `offset` of every list."""

from typing import Annotated

from fastapi import Depends, Path, Query

from bot.pages import MAX_LIMIT, Page

MAX_OFFSET = 10_000_000
MAX_ID = 2**53
"""Ids fit JavaScript's numbers."""


async def _page(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> Page:
    """Asynchronous, so that reading two numbers takes no thread."""
    return Page(limit, offset)


Paged = Annotated[Page, Depends(_page)]
TestId = Annotated[int, Path(ge=1, le=MAX_ID)]
ProposalId = Annotated[str, Path(pattern=r"^(q-)?[0-9]{1,18}(:[0-9]{1,9})?$", examples=["q-17"])]
"""`q-17`, plain `17`, or as a button carries it `q-17:3`."""
