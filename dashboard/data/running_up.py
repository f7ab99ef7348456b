"""Whether `mirpipe up` is running on the dashboard's machine, so that users need no command."""

from mirpipe.orchestration import home_lock
from mirpipe.settings import settings

UP_IS_RUNNING = "`mirpipe up` is running"
"""Start of the sentences about it."""


def is_up_running() -> bool:
    """Return whether a `mirpipe up` is running in the dashboard's home folder."""
    return home_lock.is_up_running(settings().home)
