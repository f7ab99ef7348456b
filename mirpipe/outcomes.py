"""The edge of a batch: what becomes of one item, whatever it raises."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def outcome_of(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Exception:
    """What the call returns or raises, so that one item's fault keeps no other waiting."""
    try:
        return call(*args, **kwargs)
    except Exception as problem:  # noqa: BLE001 - libraries and plug-ins may raise anything
        return problem
