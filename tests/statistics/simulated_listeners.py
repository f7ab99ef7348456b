"""Simulated listeners with a known preference, a taste of their own, and noise."""

import numpy as np

from mirpipe.records import Float64, Int64


def simulate(
    pairs: Int64,
    log_strength: Float64,
    *,
    listeners: int,
    votes: int,
    seed: int,
    taste: float = 0.5,
    careless: float = 0.1,
    log_tie: float = -0.5,
) -> Float64:
    """Return the votes of listeners by Davidson's model, shape (listeners, pairs, 3).

    The strengths of each listener differ from `log_strength` by normal values with the standard
    deviation `taste`. Each vote is a random one with the probability `careless`. Each listener
    gives `votes` votes per pair.
    """
    random = np.random.default_rng(seed)
    own = log_strength + random.normal(0, taste, (listeners, len(log_strength)))
    first, second = own[:, pairs[:, 0]], own[:, pairs[:, 1]]
    odds = np.exp(np.stack([first, second, log_tie + (first + second) / 2], axis=-1))
    chances = odds / odds.sum(axis=-1, keepdims=True)
    chances = (1 - careless) * chances + careless / 3
    counts: Float64 = random.multinomial(votes, chances).astype(np.float64)
    return counts
