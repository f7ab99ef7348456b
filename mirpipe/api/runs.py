"""Runs, encoders, and the summaries of each run."""

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from mirpipe.api.values import Cursor, Limit, RunId
from mirpipe.db import queries

router = APIRouter(tags=["runs"])


class RunPage(BaseModel):
    """One page of runs, newest first."""

    items: list[queries.PastRun]
    next: int | None
    """Cursor of the next page. None if this is the last page."""


class Summaries(BaseModel):
    """The means of one run."""

    run_id: int
    retrieval: list[queries.PastSummary]
    """One row per encoder and metric, over the best matches."""
    generation: list[queries.PastSummary]
    """One row per generator, mode, guidance and metric, over the clips."""


@router.get("/encoders", summary="List encoders")
def encoders() -> list[queries.EncoderRevision]:
    """Return the active and configured revisions of all encoders."""
    return queries.encoder_revisions()


@router.get("/runs", summary="List runs")
def runs(cursor: Cursor = None, limit: Limit = 50) -> RunPage:
    """Return one page of the runs, newest first."""
    rows = queries.past_runs(limit=limit + 1, before=cursor)
    items = rows[:limit]
    return RunPage(items=items, next=items[-1].run_id if len(rows) > limit else None)


@router.get("/runs/latest/summaries", summary="List the summaries of the latest run")
def latest_summaries() -> Summaries:
    """Return the means of the run whose results are shown."""
    rows = queries.past_runs(limit=1)
    if not rows:
        raise HTTPException(404, "There is no run yet. `mirpipe run` creates the first one.")
    return _summaries(rows[0].run_id)


@router.get("/runs/{run_id}/summaries", summary="List the summaries of a run")
def summaries(run_id: RunId) -> Summaries:
    """Return the means of a run."""
    if not any(run.run_id == run_id for run in queries.past_runs(limit=1, before=run_id + 1)):
        raise HTTPException(404, f"There is no run {run_id}. GET /v1/runs lists all runs.")
    return _summaries(run_id)


def _summaries(run_id: int) -> Summaries:
    return Summaries(
        run_id=run_id,
        retrieval=queries.past_retrieval_summaries([run_id]),
        generation=queries.past_generation_summaries([run_id]),
    )
