"""Every read for people: the dashboard, `mirpipe status` and the summary that `mirpipe up` prints.

All of it is asked as the role that only reads. Times are aware datetimes, lengths are seconds,
labels are dicts of text; a number that could not be computed is None.
"""

from mirpipe.db.reports.aesthetics import Aesthetics, aesthetics
from mirpipe.db.reports.library import (
    EncoderRevision,
    Failure,
    FailureCount,
    LibraryCount,
    LiveFile,
    Pending,
    Unavailable,
    encoders,
    failure_counts,
    failures,
    library,
    live_files,
    pending,
    unavailable,
)
from mirpipe.db.reports.results import (
    Answer,
    Change,
    Run,
    Summary,
    Target,
    answers,
    changes,
    first_answers,
    latest_run,
    runs,
    summary,
    targets,
)
from mirpipe.errors import MirpipeError

__all__ = [
    "Aesthetics",
    "Answer",
    "Change",
    "EncoderRevision",
    "Failure",
    "FailureCount",
    "LibraryCount",
    "LiveFile",
    "MirpipeError",
    "Pending",
    "Run",
    "Summary",
    "Target",
    "Unavailable",
    "aesthetics",
    "answers",
    "changes",
    "encoders",
    "failure_counts",
    "failures",
    "first_answers",
    "latest_run",
    "library",
    "live_files",
    "pending",
    "runs",
    "summary",
    "targets",
    "unavailable",
]
