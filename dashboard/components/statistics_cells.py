"""Table cells for statistics over targets: a mean with its interval, or a paired difference."""

from typing import Protocol

from markupsafe import Markup, escape

from dashboard.components.markup import small_line
from dashboard.components.number_format import DASH, format_number


class Mean(Protocol):
    """Query row with the mean of a metric over targets."""

    @property
    def mean(self) -> float | None: ...
    @property
    def sd(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def n(self) -> int: ...
    @property
    def undefined_n(self) -> int: ...


class PairedDifference(Protocol):
    """Query row with the mean difference of a metric, paired over targets."""

    @property
    def mean_difference(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def n(self) -> int: ...
    @property
    def higher_n(self) -> int: ...
    @property
    def p_adjusted(self) -> float | None: ...
    @property
    def established(self) -> bool: ...
    @property
    def role(self) -> str: ...
    @property
    def reason(self) -> str | None: ...


NO_TEST = {
    "too_few_targets": "no test: too few different targets",
    "no_target": "no test: no target has both values",
    "random_weights": "no test: random weights",
}
"""Why there is no corrected p-value, by reason code."""
ESTABLISHED_WHEN = (
    "A difference is established if it belongs to a declared contrast and its p-value is below "
    "0.05. The primary metric is tested first, and the other metrics can be established only if it "
    "is. Comparisons that were not declared are exploratory. Any difference that is not "
    "established may be due to chance."
)
"""Explanation of the verdicts, for captions."""


def mean_and_sd(mean: float | None, sd: float | None, decimals: int) -> Markup:
    """Return "mean ± sd" with "± sd" in grey, or a dash if the mean is None."""
    if mean is None:
        return escape(DASH)
    return Markup("{}&nbsp;<span class='mp-muted'>±&nbsp;{}</span>").format(
        format_number(mean, decimals), format_number(sd, decimals)
    )


def interval(low: float | None, high: float | None, decimals: int) -> Markup:
    """Return a 95% interval on its own line, or an empty text if one of its ends is None."""
    if low is None or high is None:
        return Markup("")
    return small_line(f"{format_number(low, decimals)} … {format_number(high, decimals)}")


def mean_cell(row: Mean, decimals: int, *, highest: float | None = None) -> Markup:
    """Return mean ± sd, the 95% interval, n, and the number of undefined values (if any).

    The cell is marked if its mean equals `highest`, the highest mean in its column, as shown.
    """
    mark = Markup("")
    shown = format_number(row.mean, decimals)
    if highest is not None and shown == format_number(highest, decimals):
        mark = Markup("<strong>highest</strong>")
    undefined = f", {row.undefined_n} undefined" if row.undefined_n else ""
    return (
        mean_and_sd(row.mean, row.sd, decimals)
        + interval(row.low, row.high, decimals)
        + small_line(f"n = {row.n}{undefined}")
        + mark
    )


def difference_cell(row: PairedDifference, decimals: int) -> Markup:
    """Return a mean difference, its interval, n and corrected p, and whether it is established."""
    p = NO_TEST.get(row.reason or "", "no test")
    if row.p_adjusted is not None:
        p = f"p = {row.p_adjusted:.3f}"
    mark = Markup("<strong>✓ established</strong>") if row.established else Markup("")
    if row.role == "exploratory":
        mark = small_line("exploratory")
    return (
        Markup("<span>{}</span>").format(format_number(row.mean_difference, decimals))
        + interval(row.low, row.high, decimals)
        + small_line(f"n = {row.n}, higher for {row.higher_n}")
        + small_line(p)
        + mark
    )


def established_sentence(established: int, total: int) -> str:
    """Return a sentence that states how many of the differences are established."""
    if not established:
        return "No difference is established."
    verb = "is" if established == 1 else "are"
    return f"{established} of {total} differences {verb} established."
