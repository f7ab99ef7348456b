"""Which of the wanted plug-ins can run on this machine; the ledger says what ails the others."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mirpipe.db.engine import engine
from mirpipe.db.store import failure_ledger
from mirpipe.errors import Unavailable, result_or_error
from mirpipe.registry import Plugins

T = TypeVar("T")


@dataclass(frozen=True)
class Tried:
    """What became of asking each plug-in for an interpreter that can run it."""

    usable: dict[str, Path]
    unavailable: list[str]
    """They want weights or libraries; with those they run."""
    broken: list[str]
    """Unknown, or wrong in themselves."""


def available(kind: Plugins[Any, Any], names: Sequence[str], *, stage: str) -> Tried:
    """Which of `names` can run here; the ledger of `stage` says of the others why they cannot."""
    usable: dict[str, Path] = {}
    problems: dict[str, Exception] = {}
    for name in names:
        found = result_or_error(kind.interpreter, name)
        if isinstance(found, Exception):
            problems[name] = found
        else:
            usable[name] = found
    _clear(kind, usable, stage=stage)
    for name, why in problems.items():
        _write_down(kind, name, why, stage=stage)
    unavailable = [name for name, why in problems.items() if isinstance(why, Unavailable)]
    broken = [name for name in problems if name not in unavailable]
    return Tried(usable, unavailable, broken)


def of_all_wanted(kind: Plugins[Any, Any], names: Sequence[str], *, stage: str) -> dict[str, Path]:
    """Those that can run here, and the interpreter of each, where `names` are all that is wanted.

    What the ledger of `stage` says of others goes.
    """
    forget_others(kind, names, stage=stage)
    return available(kind, names, stage=stage).usable


def attempt(kind: Plugins[Any, Any], name: str, ask: Callable[[str], T], *, stage: str) -> T | None:
    """What `ask(name)` gives, such as `kind.load`; None where the plug-in raises anything.

    The ledger of `stage` then says what; the next plan tries it again.
    """
    found = result_or_error(ask, name)
    if not isinstance(found, Exception):
        return found
    _write_down(kind, name, found, stage=stage)
    return None


def _write_down(kind: Plugins[Any, Any], name: str, problem: Exception, *, stage: str) -> None:
    with engine("app").begin() as connection:
        failure_ledger.record(
            connection,
            stage=stage,
            subject=_subject(kind, name),
            reason=getattr(problem, "reason", type(problem).__name__),
            message=str(problem),
            retry=True,
            log=False,
        )


def forget_others(kind: Plugins[Any, Any], names: Sequence[str], *, stage: str) -> None:
    """Takes out of the ledger of `stage` what ails plug-ins that nobody wants: all but `names`."""
    with engine("app").begin() as connection:
        failure_ledger.forget_others(
            connection,
            stage=stage,
            prefix=_subject(kind, ""),
            subjects=[_subject(kind, name) for name in names],
        )


def _clear(kind: Plugins[Any, Any], names: Iterable[str], *, stage: str) -> None:
    with engine("app").begin() as connection:
        failure_ledger.clear(
            connection, stage=stage, subjects=[_subject(kind, name) for name in names]
        )


def _subject(kind: Plugins[Any, Any], name: str) -> str:
    return f"{kind.kind}:{name}"
