"""The ways in which every target is generated anew; settings read it, so nothing heavy is here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Mode:
    """A way to generate: what the model is told, and how strongly it is held to it."""

    name: str
    is_conditioned: bool
    """Whether it hears the target's harmonic part; its prompt then names tempo and meter, too."""
    guidance: float | None
    """Classifier-free guidance scale; None where the generator has none."""


MODES = (
    Mode("simple", is_conditioned=False, guidance=3.0),
    Mode("medium", is_conditioned=True, guidance=3.0),
    Mode("strong", is_conditioned=True, guidance=5.0),
)
"""medium and strong share prompt and conditioning audio: only guidance differs between them."""

SWEEP = "sweep"
"""Name of the modes of a guidance sweep: as strong, at other guidance."""


def modes_for(modes: Sequence[Mode], sweep: Sequence[float], *, has_guidance: bool) -> list[Mode]:
    """What a generator makes: `modes`, and a sweep's mode for each of its guidance values.

    One that has no guidance makes each of `modes` once under its name, and no sweep.
    """
    if not has_guidance:
        return list({mode.name: replace(mode, guidance=None) for mode in modes}.values())
    swept = [Mode(SWEEP, is_conditioned=True, guidance=guidance) for guidance in sweep]
    return list(dict.fromkeys([*modes, *swept]))
