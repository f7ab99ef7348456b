"""The page that puts what was printed, what its lines give and what was claimed side by side."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from mirpipe.db.queries.published_results import (
    PublishedClaim,
    PublishedDifference,
    PublishedMean,
    PublishedNumber,
    published_claims,
    published_differences,
    published_means,
    published_numbers,
)
from mirpipe.errors import MirpipeError
from mirpipe.published.claim_numbers import p_value

_HEAD = """\
<!-- made by `mirpipe published page`; do not edit -->
# What the published numbers say

An earlier evaluation printed the result of every target: {targets} targets, three encoders, three
modes of generation. Its lines come with mirpipe (`mirpipe/published/`), `mirpipe published import`
loads them, and the views that show our own results show theirs under `source = 'published'`. A row
there is a printed line, never a track: some of the printed names stand for several files.

Everything below is worked out from these lines by the same SQL and the same tests as our own
results, save the standardised cosines, which take the audio of the published library. Standard
deviations are population ones. Intervals are 95 %, by bootstrap over the targets.
"""

_NUMBERS = """
## Printed and recomputed

{agree} of {all} printed numbers follow from the lines to their last printed decimal. The other
{differ} are known, and come from rounding.
"""

_MEANS = """
## How sure the means are

Mean, and its 95 % interval over {n} targets.

Cosines of different encoders are not on one scale, so their column ranks nothing. Standardised
against each encoder's own cosines to the published library, CLAP's answers lie 1.54 sd above their
background, MuQ's 1.49 and Music2Latent's 1.27: the encoder with the highest cosine comes last.
"""

_DIFFERENCES = """
## Which differences are established

Paired over the targets: mean difference, 95 % interval, two-sided sign-flip p over all ways to
choose the signs, and p corrected after Holm for the {family} comparisons of a table (of which those
of CLAP similarity and melody accuracy are shown). With {n} targets the least possible p is {least},
and corrected {corrected}: **no difference can pass 0.05 here, however large.** Where every target
moves the same way and the interval stays far from zero, as from simple to medium, it is the number
of targets that is too small, not the effect.
"""

_CLAIMS = """
## Claim by claim

*Stands*: the lines say so. *Arithmetic only*: the figure is right, and does not show what was
concluded. *Not established*: chance could explain it. *Does not stand*: the lines say otherwise.
*Not measured*: nothing was measured that could show it.

{counts}
"""

_METRICS = {
    "cosine": ("retrieval similarity", 3),
    "clap_similarity": ("CLAP similarity", 3),
    "melody_accuracy": ("melody accuracy", 3),
    "aesthetics_ce": ("CE", 2),
    "aesthetics_cu": ("CU", 2),
    "aesthetics_pc": ("PC", 2),
    "aesthetics_pq": ("PQ", 2),
}
_COMPARED = ("clap_similarity", "melody_accuracy")


def page() -> str:
    """The page as Markdown; raises MirpipeError before the tables are imported."""
    means, numbers = published_means(), published_numbers()
    differences, claims = published_differences(), published_claims()
    if not (means and numbers and differences and claims):
        raise MirpipeError("the published tables are not loaded: run `mirpipe published import`")
    n = max(one.n for one in means)
    family = max(one.family_n for one in differences)
    least = 2.0 ** (1 - n)
    known = [one for one in numbers if not one.agrees]
    verdicts = [one.verdict for one in claims]
    counts = ", ".join(f"{v} {verdicts.count(v)}" for v in dict.fromkeys(sorted(verdicts)))
    parts = [
        _HEAD.format(targets=n),
        _NUMBERS.format(agree=len(numbers) - len(known), all=len(numbers), differ=len(known)),
        *_tables(numbers),
        _known(known),
        _MEANS.format(n=n),
        *_intervals(means),
        _DIFFERENCES.format(
            family=family, n=n, least=p_value(least), corrected=p_value(min(1, family * least))
        ),
        _compared([one for one in differences if one.metric in _COMPARED]),
        _CLAIMS.format(counts=f"Of {len(claims)} claims: {counts}."),
        *_judged(claims),
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _tables(numbers: Sequence[PublishedNumber]) -> Iterator[str]:
    """Printed mean (± sd) → recomputed, a table a task; changes stand by themselves."""
    kinds = {"retrieval": "Retrieval", "generation": "Generation", "change": "From mode to mode"}

    def kind(one: PublishedNumber) -> str:
        return "change" if one.than_subject else one.task

    for name, title in kinds.items():
        rows = []
        for (subject, than, metric), group in groupby(
            (one for one in numbers if kind(one) == name),
            lambda one: (one.subject, one.than_subject, one.metric),
        ):
            found = sorted(group, key=lambda one: one.number)  # mean, then sd
            unit = " %" if than else ""
            printed = " ± ".join(one.printed for one in found) + unit
            given = " ± ".join(_more(one) for one in found) + unit
            same = "yes" if all(one.agrees for one in found) else "**no**"
            who = f"{than} → {subject}" if than else str(subject)
            rows.append([who, _METRICS[metric][0], printed, given, same])
        yield f"### {title}\n\n" + _table(
            ["of", "number", "printed", "recomputed", "the same"], rows
        )


def _more(one: PublishedNumber) -> str:
    """Recomputed to more decimals than were printed."""
    if one.recomputed is None:
        return "–"
    decimals = len(one.printed.partition(".")[2])
    return f"{one.recomputed:.{max(decimals + 1, 2)}f}"


def _known(numbers: Sequence[PublishedNumber]) -> str:
    said = []
    for one in numbers:
        way = f"{one.than_subject} → {one.subject}" if one.than_subject else one.subject
        said.append(f"- {way}, {_METRICS[one.metric][0]}: {one.discrepancy or 'no reason known'}.")
    return "\n".join(said)


def _intervals(means: Sequence[PublishedMean]) -> Iterator[str]:
    for task in ("retrieval", "generation"):
        of = [one for one in means if one.task == task]
        metrics = [name for name in _METRICS if any(one.metric == name for one in of)]
        rows = []
        for subject in dict.fromkeys(one.subject for one in of):
            found = {one.metric: one for one in of if one.subject == subject}
            rows.append([subject, *(_interval(found[name]) for name in metrics)])
        head = ["encoder" if task == "retrieval" else "mode"]
        yield _table([*head, *(_METRICS[name][0] for name in metrics)], rows)


def _interval(one: PublishedMean) -> str:
    digits = _METRICS[one.metric][1]
    if one.low is None or one.high is None:
        return f"{one.mean:.{digits}f}"
    return f"{one.mean:.{digits}f} [{one.low:.{digits}f}, {one.high:.{digits}f}]"


def _compared(differences: Sequence[PublishedDifference]) -> str:
    rows = []
    for one in differences:
        ends = "–" if one.low is None else f"[{one.low:+.3f}, {one.high:+.3f}]"
        tested = ["–", "–"]
        if one.p is not None and one.p_holm is not None:
            tested = [p_value(one.p), p_value(one.p_holm)]
        percent = "" if one.percent is None else f"{one.percent:+.2f} %"
        rows.append(
            [
                f"{one.subject} − {one.than_subject}",
                _METRICS[one.metric][0],
                f"{one.mean_difference:+.3f}",
                ends,
                percent,
                f"{one.higher_n} of {one.n}",
                *tested,
            ]
        )
    head = ["compared", "number", "difference", "95 %", "change", "higher at", "p", "corrected"]
    return _table(head, rows)


def _judged(claims: Sequence[PublishedClaim]) -> Iterator[str]:
    for section, group in groupby(claims, lambda one: one.section):
        rows = [[one.claim, one.numbers, f"**{one.verdict}**", one.remark or ""] for one in group]
        yield f"### {section}\n\n" + _table(["claim", "the lines give", "verdict", "remark"], rows)
