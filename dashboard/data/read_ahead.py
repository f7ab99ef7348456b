"""Reads the slowest results of a new run before anybody opens a page that shows them.

With 10,000 targets, the first viewer would otherwise wait one or two seconds for each page.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import streamlit as st

from dashboard.data import cached_queries, current_state, target_orders
from dashboard.data.cached_queries import RunKey
from mirpipe.db import queries
from mirpipe.db.queries.target_order import ORDERS
from mirpipe.errors import MirpipeError
from mirpipe.settings import settings

_log = logging.getLogger(__name__)


@asynccontextmanager
async def results_read_ahead(_app: st.App) -> AsyncIterator[None]:
    """While the server runs, read the results of the last run, and of each new one."""
    task = asyncio.create_task(_watch())
    yield
    task.cancel()


async def _watch() -> None:
    seen: RunKey | None = None
    while True:
        seen = await asyncio.to_thread(read_new_results, seen)
        await asyncio.sleep(current_state.POLLING_SECONDS)


def read_new_results(seen: RunKey | None) -> RunKey | None:
    """Read what the pages show of the last run, unless it is the run `seen`. Return this run.

    The pages then take the results from the cache. An error is left to the page that reads the same
    result, which says what to do.
    """
    try:
        run = cached_queries.latest_run()
        key = None if run is None else cached_queries.run_key(run)
        if key is not None and key != seen:
            for read in _reads(key, cached_queries.last_runs()):
                read()
    except MirpipeError as error:
        _log.info("No results were read ahead: %s", error)
        return seen
    return key


def _reads(run: RunKey, runs: Sequence[queries.Run]) -> list[Callable[[], object]]:
    """Return the reads that take longest. `runs` contains the last runs, newest first."""
    order, clip_metric = ORDERS[0], settings().primary_generation_metric
    # The page History compares the last two runs.
    compared = [(each.run_id, run[0]) for each in runs[1:2]]
    return [
        cached_queries.library_counts,
        cached_queries.failure_counts,
        cached_queries.pending_work,
        lambda: current_state.read(queries.finding_counts),
        lambda: current_state.read(queries.duplicate_groups),
        lambda: current_state.read(queries.fingerprint_state),
        lambda: cached_queries.encoder_revisions(run),
        lambda: cached_queries.similarity_by_rank(run),
        lambda: cached_queries.cosine_distributions(run),
        lambda: target_orders.target_order(run, None, "", "", "", order),
        lambda: target_orders.target_order(run, clip_metric, "", "", "", order),
        lambda: [cached_queries.map_points(run, each.encoder) for each in cached_queries.maps(run)],
        *(partial(cached_queries.best_match_difference_counts, run, *each) for each in compared),
    ]
