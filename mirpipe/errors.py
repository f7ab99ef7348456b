"""Every error that mirpipe raises on purpose; a class's docstring is its message's first half.

Exit codes of the command line: 0 all done; 1 something failed that was not bad input; 2 wrong
usage; 3 done, and some input was rejected (see `mirpipe failures`).
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar


class MirpipeError(Exception):
    """Something mirpipe was asked to do cannot be done."""

    def __str__(self) -> str:
        said = super().__str__()
        return said or (self.__doc__ or "").strip()


class ConfigurationError(MirpipeError):
    """A setting is missing or contradicts another."""


class DatabaseError(MirpipeError):
    """The database cannot be used as it is."""


class PluginError(MirpipeError):
    """A plug-in is unknown, broken or unavailable on this machine."""


class Unavailable(PluginError):
    """A plug-in cannot run on this machine as it is; the message ends with the remedy.

    `reason` is a short stable code: `weights_missing`, `weights_refused`, `library_missing`,
    `memory_missing`, `card_missing`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class OutOfMemory(PluginError):
    """A model does not fit into the memory of its device with this much to do at once."""


class StageFailed(MirpipeError):
    """A stage ended with a failure that is not bad input; run again, it does what is left."""


class StageCrashed(MirpipeError):
    """A track kills the process that works on it; it is in the ledger and is not tried again."""


class RejectedInput(MirpipeError):
    """One input cannot be used; it goes to the ledger with its reason and is not retried.

    `reason` is a short stable code in snake case (`too_short`); the message is for people.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def retry(self) -> bool:
        """Whether this is about the machine, so that the same input may be used another time."""
        return self.reason in {"needs_ffmpeg", "unreadable"}


P = ParamSpec("P")
T = TypeVar("T")


def result_or_error(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Exception:
    """Return the call's result, or the exception that it raised.

    This is the edge of a batch: one item that fails does not stop the others.
    """
    try:
        return call(*args, **kwargs)
    except Exception as problem:  # noqa: BLE001 - libraries and plug-ins may raise anything
        return problem
