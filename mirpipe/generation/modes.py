"""The modes in which clips are generated for each target.

The settings import this module, so it imports no audio or model library.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Mode:
    """One way to generate a clip: the input of the generator, and its guidance."""

    name: str
    is_conditioned: bool
    """Whether the generator receives conditioning audio of the target.

    The prompt then also contains the target's tempo and meter.
    """
    guidance: float | None
    """Classifier-free guidance scale. None if the generator has no guidance."""


MODES = (
    Mode("simple", is_conditioned=False, guidance=3.0),
    Mode("medium", is_conditioned=True, guidance=3.0),
    Mode("strong", is_conditioned=True, guidance=5.0),
)
"""The default modes. The only difference between medium and strong is the guidance."""

SWEEP = "sweep"
"""Name of all modes of a guidance sweep. They are like strong, with other values of guidance."""


def modes_for_generator(
    modes: Sequence[Mode], sweep: Sequence[float], *, has_guidance: bool
) -> list[Mode]:
    """Return the modes in which a generator makes clips, without repetitions.

    These are `modes`, and a mode named sweep for each guidance value in `sweep`. A generator
    without guidance has no sweep, and only one mode per name, with the guidance None.
    """
    if not has_guidance:
        return list({mode.name: replace(mode, guidance=None) for mode in modes}.values())
    sweep_modes = [Mode(SWEEP, is_conditioned=True, guidance=guidance) for guidance in sweep]
    return list(dict.fromkeys([*modes, *sweep_modes]))
