"""Replace names in braces in a claim's text with numbers from the published tables.

Examples: `{CLAP cosine:3}` is a mean with three decimals, and `{CLAP/Mussorgsky cosine:3}` is the
value of one line. `{strong - medium clap_similarity}` is a difference with its interval and its p
value, and `{strong - medium clap_similarity percent:0}` is the same difference in percent.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mirpipe.db.store.published_tables import Score
from mirpipe.errors import RejectedInput
from mirpipe.published.printed_lines import RetrievalLine

_PLACEHOLDER = re.compile(r"\{([^{}:]+)(?::(\d))?\}")


class ClaimNumbers:
    """Numbers and differences, by the names that claims use for them."""

    def __init__(
        self,
        scores: Sequence[Score],
        means: Mapping[tuple[str, str], float],
        differences: Sequence[Mapping[str, Any]],
        retrieval: Sequence[RetrievalLine],
    ) -> None:
        """Each key of `means` is a pair of an encoder or mode and a metric."""
        self._numbers = {f"{subject} {metric}": mean for (subject, metric), mean in means.items()}
        for score in scores:
            self._numbers[f"{score.subject}/{score.target} {score.metric}"] = score.value
        self._phrases: dict[str, str] = {}
        for difference in differences:
            name = f"{difference['subject']} - {difference['than_subject']} {difference['metric']}"
            self._phrases[name] = difference_phrase(difference)
            if difference["percent"] is not None:
                self._numbers[f"{name} percent"] = difference["percent"]
        # The titles of the three drum targets start with a style, for example "Jazz 120 BPM".
        styled = [line for line in retrieval if line.target.endswith(" BPM")]
        self._numbers["style lines"] = len(styled)
        self._numbers["style hits"] = sum(
            line.target.partition(" ")[0].lower() in line.retrieved.lower() for line in styled
        )

    def fill(self, text: str, *, where: str) -> str:
        """Return the text with every name in braces replaced by its number.

        Raises RejectedInput, with `where` in its message, if a name is unknown.
        """

        def replacement(match: re.Match[str]) -> str:
            name, digits = match[1], match[2]
            if digits is None and name in self._phrases:
                return self._phrases[name]
            if digits is not None and name in self._numbers:
                return f"{self._numbers[name]:.{digits}f}"
            raise RejectedInput("wrong_value", f"{where}: there is no number named {match[0]}")

        return _PLACEHOLDER.sub(replacement, text)


def difference_phrase(difference: Mapping[str, Any]) -> str:
    """Return a difference as text: size, 95% interval, percentage and p, where known."""
    phrase = f"{difference['mean_difference']:+.3f}"
    if difference["low"] is not None:
        phrase += f" [{difference['low']:+.3f}, {difference['high']:+.3f}]"
    if difference["percent"] is not None:
        phrase += f" ({difference['percent']:+.2f}%)"
    if difference["p"] is not None:
        phrase += f", p = {format_p(difference['p'])}"
    if difference["p_adjusted"] is not None:
        phrase += f", corrected {format_p(difference['p_adjusted'])}"
    return phrase


def format_p(p: float) -> str:
    """Return p with three decimals, or with four decimals if p is below 0.01."""
    return f"{p:.3f}" if p >= 0.01 else f"{p:.4f}"
