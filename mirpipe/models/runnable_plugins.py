"""Checks which plug-ins can run on this machine, and records the others in the failure ledger."""

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
class PluginAvailability:
    """The checked plug-ins, divided into those that can run and those that cannot."""

    usable: dict[str, Path]
    """Interpreter of each plug-in that can run, by the plug-in's name."""
    unavailable: list[str]
    """Names of the plug-ins for which only weights or libraries are missing."""
    broken: list[str]
    """Names of the plug-ins that are unknown or for which another error was raised."""


def check_plugins(
    kind: Plugins[Any, Any], names: Sequence[str], *, stage: str
) -> PluginAvailability:
    """Return which of the plug-ins in `names` can run on this machine.

    The failure ledger of `stage` is updated: the ledger then shows why a plug-in cannot run, and no
    longer lists plug-ins that can run.
    """
    usable: dict[str, Path] = {}
    problems: dict[str, Exception] = {}
    for name in names:
        interpreter = result_or_error(kind.interpreter, name)
        if isinstance(interpreter, Exception):
            problems[name] = interpreter
        else:
            usable[name] = interpreter
    _delete_failures(kind, usable, stage=stage)
    for name, problem in problems.items():
        _record_failure(kind, name, problem, stage=stage)
    unavailable = [name for name, problem in problems.items() if isinstance(problem, Unavailable)]
    broken = [name for name in problems if name not in unavailable]
    return PluginAvailability(usable, unavailable, broken)


def check_configured_plugins(
    kind: Plugins[Any, Any], names: Sequence[str], *, stage: str, on_gpu: bool | None = None
) -> PluginAvailability:
    """Return which of the configured plug-ins can run on this machine.

    `names` must contain all configured plug-ins of this kind, because all others are deleted from
    the failure ledger of `stage`. `on_gpu` limits the check to the plug-ins that can use a GPU, or
    to the others.
    """
    delete_failures_of_other_plugins(kind, names, stage=stage)
    return check_plugins(kind, kind.select(names, on_gpu=on_gpu), stage=stage)


def try_plugin(
    kind: Plugins[Any, Any], name: str, call: Callable[[str], T], *, stage: str
) -> T | None:
    """Return `call(name)`, or None if the call raises any exception.

    `call` is, for example, `kind.load`. The exception is recorded in the failure ledger of `stage`
    as a failure to be retried.
    """
    result = result_or_error(call, name)
    if not isinstance(result, Exception):
        return result
    _record_failure(kind, name, result, stage=stage)
    return None


def delete_failures_of_other_plugins(
    kind: Plugins[Any, Any], names: Sequence[str], *, stage: str
) -> None:
    """Delete from the failure ledger of `stage` all plug-ins of this kind that are not in `names`.

    `names` are the configured plug-ins. A plug-in that is no longer configured does not count as a
    failure.
    """
    with engine("app").begin() as connection:
        failure_ledger.clear_others(
            connection,
            stage=stage,
            prefix=_subject(kind, ""),
            subjects=[_subject(kind, name) for name in names],
        )


def _record_failure(kind: Plugins[Any, Any], name: str, problem: Exception, *, stage: str) -> None:
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


def _delete_failures(kind: Plugins[Any, Any], names: Iterable[str], *, stage: str) -> None:
    with engine("app").begin() as connection:
        failure_ledger.clear(
            connection, stage=stage, subjects=[_subject(kind, name) for name in names]
        )


def _subject(kind: Plugins[Any, Any], name: str) -> str:
    return f"{kind.kind}:{name}"
