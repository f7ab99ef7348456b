"""All errors that mirpipe raises on purpose. An error without a message shows its docstring.

Exit codes of the command line: 0 everything is done; 1 something failed for a reason other than bad
input; 2 wrong usage; 3 everything is done, but some input was rejected (see `mirpipe failures`).
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar


class MirpipeError(Exception):
    """mirpipe cannot do its work."""

    def __str__(self) -> str:
        message = super().__str__()
        return message or (self.__doc__ or "").strip()


class ConfigurationError(MirpipeError):
    """A setting is missing, wrong, or contradicts another setting."""


class DatabaseError(MirpipeError):
    """The database cannot be used in its current state."""


class PluginError(MirpipeError):
    """A plug-in is unknown, broken, or not available on this machine."""


class Unavailable(PluginError):
    """A plug-in cannot run on this machine. The message states the problem, then the remedy.

    `reason` is a short stable code: `weights_missing`, `weights_refused`,
    `weights_unconfirmed`, `library_missing`, `memory_missing` or `card_missing`.
    """

    def __init__(self, reason: str, problem: str, *, remedy: str) -> None:
        super().__init__(f"{problem}: {remedy}")
        self.reason = reason
        self.problem = problem
        self.remedy = remedy


class OutOfMemory(PluginError):
    """The model and its batch do not fit into the device's memory."""


class StageFailed(MirpipeError):
    """A stage failed for a reason other than bad input. A new run continues with the remaining
    work."""


class StageCrashed(MirpipeError):
    """A track crashed the process that worked on it. The failure ledger records the track."""


class StorageUnavailable(MirpipeError):
    """A bucket cannot be read or written now. Its objects may still exist."""


class ObjectChanged(MirpipeError):
    """An object was replaced after it was listed. It is read again later."""


class RejectedInput(MirpipeError):
    """An input cannot be used. The failure ledger records the reason.

    `reason` is a short stable code in snake case, such as `too_short`. The message is for users.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def retry(self) -> bool:
        """Whether the cause is this machine rather than the input, so that a retry may succeed."""
        return self.reason in {"needs_ffmpeg", "unreadable", "unreachable"}


P = ParamSpec("P")
T = TypeVar("T")


def result_or_error(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Exception:
    """Return the result of the call, or the exception that it raised.

    Code that processes batches uses this function, so that one failed item does not stop the
    others.
    """
    try:
        return call(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - libraries and plug-ins may raise anything
        return error
