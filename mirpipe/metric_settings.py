"""The metrics that settings can name, and the check that the settings name only these."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from mirpipe.errors import ConfigurationError, result_or_error
from mirpipe.music.metrics.aligned_melody import ALIGNED
from mirpipe.music.metrics.clap_similarity import CLAP_SIMILARITY
from mirpipe.music.metrics.clap_text_score import TEXT_SCORE
from mirpipe.music.metrics.melody_accuracy import ACCURACY
from mirpipe.music.metrics.melody_chance_correction import SPECS as CHANCE_CORRECTION
from mirpipe.music.metrics.melody_offset import SPECS as BEST_OFFSET
from mirpipe.music.metrics.muq_mulan_text_score import MUQ_MULAN_TEXT_SCORE
from mirpipe.records import LABELS, Task
from mirpipe.registry import TRACK_METRICS
from mirpipe.setting_types import is_compared, parse_margins
from mirpipe.settings import settings
from mirpipe.specs import TrackMetricSpec

COMPARED_MATCHES = 10
"""Number of matches per target that two revisions are compared by. mirpipe shows as many."""

_PAIR_METRICS = [
    *(ALIGNED, ACCURACY, CLAP_SIMILARITY),
    *CHANCE_CORRECTION.values(),
    *BEST_OFFSET.values(),
]
_MATCHES_ONLY = ("z", "percentile", "melody_accuracy_melodic")
_CLIPS_ONLY = (TEXT_SCORE.name, MUQ_MULAN_TEXT_SCORE.name)


def known_metrics(task: Task) -> list[str]:
    """Return the names of all metrics by which matches or clips can be compared, sorted.

    The score axes of all installed plug-ins belong to them. A plug-in that cannot be imported is
    left out.
    """
    return sorted({*_metrics_without_plugins(task), *_axes()})


def known_metrics_of_margins() -> list[str]:
    """Return the names of all metrics whose change can be tested, sorted."""
    names = {*known_metrics("retrieval"), *known_metrics("generation")}.difference(_MATCHES_ONLY)
    return sorted(names.union(f"{label}_p_at_{COMPARED_MATCHES}" for label in LABELS))


def unknown_metrics() -> Iterator[tuple[str, str]]:
    """Yield each setting that names an unknown metric, and what to write instead."""
    for metric in parse_margins(settings().promotion_margins):
        if message := unknown_margin(metric):
            yield "MIRPIPE_PROMOTION_MARGINS", message
    chosen: dict[Task, str] = {
        "retrieval": settings().primary_retrieval_metric,
        "generation": settings().primary_generation_metric,
    }
    for task, metric in chosen.items():
        if metric in _metrics_without_plugins(task):
            continue
        known = known_metrics(task)
        if metric not in known:
            answers = "Matches" if task == "retrieval" else "Clips"
            message = f"{answers} have no metric {metric!r}.{_suggestion(metric, known)}"
            yield f"MIRPIPE_PRIMARY_{task.upper()}_METRIC", message


def unknown_margin(metric: str) -> str:
    """Return that a margin names an unknown metric, and what to write instead, or an empty text."""
    known = known_metrics_of_margins()
    return "" if metric in known else f"There is no metric {metric!r}.{_suggestion(metric, known)}"


def _suggestion(metric: str, known: Sequence[str]) -> str:
    close = get_close_matches(metric, known, n=1)
    meant = f" Did you mean {close[0]}?" if close else ""
    return f"{meant} Use one of these: {', '.join(known)}."


def require_known_metrics() -> None:
    """Raise ConfigurationError if a metric in the settings is the name of no metric."""
    for setting, message in unknown_metrics():
        raise ConfigurationError(f"{setting}: {message}")


def _metrics_without_plugins(task: Task) -> set[str]:
    pairs = {spec.name for spec in _PAIR_METRICS if is_compared(spec.name)}
    if task == "retrieval":
        return pairs.union(_MATCHES_ONLY)
    return pairs.union(_CLIPS_ONLY, (f"cosine {name}" for name in settings().encoders))


def _axes() -> Iterator[str]:
    for name in TRACK_METRICS.names():
        spec = result_or_error(TRACK_METRICS.declared, name)
        if isinstance(spec, TrackMetricSpec):
            yield from spec.axes
