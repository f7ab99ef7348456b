"""Whether `mirpipe up` is running on the dashboard's machine, so that users need no command."""

from mirpipe.orchestration import home_lock
from mirpipe.settings import settings

UP_IS_RUNNING = home_lock.UP_IS_RUNNING


def is_up_running() -> bool:
    """Return whether a `mirpipe up` is running in the dashboard's home folder."""
    return home_lock.is_up_running(settings().home)
