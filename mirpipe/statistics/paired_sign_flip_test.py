"""Whether two things differ, measured on the same targets: paired sign-flip tests.

If they do not differ, every difference might as well have had the other sign. p is the share of all
ways to choose the signs whose mean is at least as far from 0 as the one that was found. Sources:
Fisher, The Design of Experiments (1935), section 21; Phipson and Smyth, Permutation p-values should
never be zero (2010).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirpipe.records import Float64
from mirpipe.statistics.bootstrap_intervals import SEED, intervals

EXACT_N = 20
"""Differences up to which every choice of signs is tried: 2 to the power of 20 of them."""
FLIPS = 100_000
"""Choices of signs that are drawn above; p cannot fall below one in this many."""

_ROUNDING = 1e-12
"""Sums this close, relative to the sum of all sizes, are one sum reached in two orders."""
_CELLS = 1 << 22


@dataclass(frozen=True)
class Paired:
    """Differences of n pairs, summed up; NaN where n is too small to say.

    `low` and `high` (95 %) want two pairs, everything else one. `higher_n` counts the pairs whose
    first is higher. `p` is two-sided and as it stands: correct it with `holm`.
    """

    n: int
    mean: float
    sd: float
    low: float
    high: float
    p: float
    higher_n: int

    @property
    def is_exact(self) -> bool:
        """Every choice of signs was tried, none drawn."""
        return self.n <= EXACT_N


def compare(differences: Sequence[Float64], *, seed: int = SEED) -> list[Paired]:
    """Each column of differences, shape (n,), first less second, finite values of any n."""
    ends = intervals(differences, seed=seed)
    ps = sign_flip(differences, seed=seed)
    return [
        Paired(
            n=len(column),
            mean=float(column.mean()) if len(column) else np.nan,
            sd=float(column.std()) if len(column) else np.nan,
            low=float(low),
            high=float(high),
            p=float(p),
            higher_n=int((column > 0).sum()),
        )
        for column, (low, high), p in zip(differences, ends, ps, strict=True)
    ]


def sign_flip(differences: Sequence[Float64], *, flips: int = FLIPS, seed: int = SEED) -> Float64:
    """Two-sided p of each column of differences, shape (n,), that they lie evenly around 0.

    Exact up to n = 20; above from `flips` drawn choices, the found one counted among them. NaN
    where n is 0.
    """
    found = np.full(len(differences), np.nan)
    many = [at for at, column in enumerate(differences) if len(column) > EXACT_N]
    for at, column in enumerate(differences):
        if 0 < len(column) <= EXACT_N:
            found[at] = _exact(column)
    if many:
        found[many] = _drawn([differences[at] for at in many], flips, seed)
    return found


def _exact(differences: Float64) -> float:
    """Over all choices of signs, half of them tried: turning all signs turns only the sum's."""
    sums = differences[:1]
    for one in differences[1:]:
        sums = np.concatenate([sums + one, sums - one])
    return float((np.abs(sums) >= _reach(differences)).mean())


def _drawn(columns: Sequence[Float64], flips: int, seed: int) -> Float64:
    """Over drawn choices that all columns share; what a short one lacks is 0, with either sign."""
    longest = max(len(column) for column in columns)
    values = np.zeros((longest, len(columns)))
    for at, column in enumerate(columns):
        values[: len(column), at] = column
    reach = np.array([_reach(column) for column in columns])
    random = np.random.default_rng(seed)
    block = max(1, _CELLS // longest)
    as_far = np.zeros(len(columns))
    for start in range(0, flips, block):
        rows = min(block, flips - start)
        bits = np.frombuffer(random.bytes(rows * -(-longest // 8)), np.uint8)
        signs = np.unpackbits(bits.reshape(rows, -1), axis=1, count=longest)
        sums = 2 * (signs.astype(np.float64) @ values) - values.sum(axis=0)
        as_far += (np.abs(sums) >= reach).sum(axis=0)
    return (as_far + 1) / (flips + 1)


def _reach(differences: Float64) -> float:
    """From what size on a sum is as far from 0 as the one that was found."""
    return float(abs(differences.sum()) - _ROUNDING * np.abs(differences).sum())
