"""The current state of the database, read again only when the database has changed."""

# ruff: noqa: ARG001  (Streamlit uses all arguments as the cache key, including unused ones)
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from mirpipe.db import queries

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
POLLING_SECONDS = 10
"""Interval between checks for changes. A change triggers queries that scan whole tables."""


def read(
    query: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Return the result of a query with these arguments. It is at most 10 seconds old.

    The query is known by its name. Raises ValueError for functions that can share one: lambdas and
    functions in functions.
    """
    name = f"{query.__module__}.{query.__qualname__}"
    if "<" in name:
        raise ValueError(f"The results of {name} cannot be cached, because its name is not unique.")
    result: Result = _read(_change_mark(), name, args, kwargs, query)
    return result


@st.cache_data(ttl=POLLING_SECONDS, show_spinner=False)
def _change_mark() -> str:
    return queries.change_mark()


@st.cache_data(max_entries=500, show_spinner=False)
def _read(
    change_mark: str,
    name: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    _query: Callable[..., Any],
) -> Any:
    return _query(*args, **kwargs)
