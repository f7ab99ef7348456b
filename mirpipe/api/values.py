"""Types of parameters that several operations share."""

from typing import Annotated

from fastapi import Path, Query

MAX_ID = 2**63 - 2
"""Largest id. The next number must fit into Postgres's bigint, too."""

TrackId = Annotated[int, Path(ge=1, le=MAX_ID, description="Track; key in the table track.")]
RunId = Annotated[int, Path(ge=1, le=MAX_ID, description="Run; key in the table run.")]
Limit = Annotated[int, Query(ge=1, le=500, description="Largest number of items in the page.")]
Cursor = Annotated[
    int | None,
    Query(ge=1, le=MAX_ID, description="`next` of the previous page. Without it, the first page."),
]
Neighbours = Annotated[int, Query(ge=1, le=100, description="Number of references per encoder.")]
