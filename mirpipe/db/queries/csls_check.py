"""CSLS check: how well re-ranking only the nearest references agrees with ranking all of them."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class CslsCheck:
    """Re-ranking by CSLS with one encoder, compared with a CSLS ranking of all references.

    In a large library, the CSLS neighbourhoods are computed from only part of the references, which
    is called the base. A second comparison then shows the effect of the base. Its fields are None
    if there is no base.
    """

    encoder: str
    top1_equal: float
    """Share of targets with the same best match in both rankings, 0 to 1."""
    top10_overlap: float
    """Mean share of the first ten matches that both rankings have in common, 0 to 1."""
    targets_n: int
    """Number of targets in the comparison."""
    references_n: int
    """Number of references in the comparison."""
    is_sample: bool
    """Whether the comparison uses only some of the targets or references."""
    kept: int
    """Number of references per target that are re-ranked."""
    base_n: int
    """Number of references in the base, or number of all references if there is no base."""
    base_targets_n: int | None
    """Number of targets in the second comparison."""
    base_top1_equal: float | None
    """Share of the targets in the second comparison with the same best match, 0 to 1."""
    base_top10_overlap: float | None
    """Mean share of the first ten matches that are equal in the second comparison, 0 to 1."""
    licence_weights: str
    """Licence of the encoder's weights."""
    random: bool
    """Whether the encoder has random weights."""


_CSLS_CHECKS = text("""
    SELECT encoder, top1_equal, top10_overlap, targets_n, references_n, is_sample, kept, base_n,
        base_targets_n, base_top1_equal, base_top10_overlap, licence_weights, random
    FROM mirpipe.v_csls ORDER BY encoder
""")


def csls_checks() -> list[CslsCheck]:
    """Return the checks of the latest run, one per encoder."""
    return read_rows(CslsCheck, _CSLS_CHECKS)
