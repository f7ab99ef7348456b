"""What the published lines give, by name, and claims whose numbers are filled in from it.

Names in braces are `{CLAP cosine:3}` (a mean, to three decimals), `{CLAP/Mussorgsky cosine:3}` (a
line's value), `{strong - medium clap_similarity}` (a difference with its interval and p) and
`{strong - medium clap_similarity percent:0}`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mirpipe.db.store.published_tables import Score
from mirpipe.errors import RejectedInput
from mirpipe.published.printed_lines import RetrievalLine

_NAME = re.compile(r"\{([^{}:]+)(?::(\d))?\}")


class Facts:
    """Numbers and phrases by name."""

    def __init__(
        self,
        scores: Sequence[Score],
        means: Mapping[tuple[str, str], float],
        differences: Sequence[Mapping[str, Any]],
        retrieval: Sequence[RetrievalLine],
    ) -> None:
        self._numbers = {f"{subject} {metric}": mean for (subject, metric), mean in means.items()}
        for one in scores:
            self._numbers[f"{one.subject}/{one.target} {one.metric}"] = one.value
        self._phrases: dict[str, str] = {}
        for found in differences:
            name = f"{found['subject']} - {found['than_subject']} {found['metric']}"
            self._phrases[name] = difference(found)
            if found["percent"] is not None:
                self._numbers[f"{name} percent"] = found["percent"]
        styled = [line for line in retrieval if line.target.endswith(" BPM")]
        self._numbers["style lines"] = len(styled)
        self._numbers["style hits"] = sum(
            line.target.partition(" ")[0].lower() in line.retrieved.lower() for line in styled
        )

    def fill(self, written: str, *, where: str) -> str:
        """The text with every name in braces replaced; raises RejectedInput for an unknown one."""

        def one(found: re.Match[str]) -> str:
            name, digits = found[1], found[2]
            if digits is None and name in self._phrases:
                return self._phrases[name]
            if digits is not None and name in self._numbers:
                return f"{self._numbers[name]:.{digits}f}"
            raise RejectedInput("wrong_value", f"{where}: no number is called {found[0]}")

        return _NAME.sub(one, written)


def difference(found: Mapping[str, Any]) -> str:
    """A difference in words: its size, 95 % interval, percent where there is one, and p."""
    said = f"{found['mean_difference']:+.3f}"
    if found["low"] is not None:
        said += f" [{found['low']:+.3f}, {found['high']:+.3f}]"
    if found["percent"] is not None:
        said += f" ({found['percent']:+.2f} %)"
    if found["p"] is not None:
        said += f", p = {p_value(found['p'])}, corrected {p_value(found['p_holm'])}"
    return said


def p_value(p: float) -> str:
    """Two digits that mean something, or three decimals."""
    return f"{p:.3f}" if p >= 0.01 else f"{p:.4f}"
