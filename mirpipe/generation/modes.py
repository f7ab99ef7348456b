"""The modes in which clips are generated for each target.

`mirpipe.settings` imports this module, so this module imports no audio or model library.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Mode:
    """One way to generate a clip: the generator's input and its guidance."""

    name: str
    is_conditioned: bool
    """Whether the generator receives conditioning audio from the target.

    If it does, the prompt also contains the target's tempo and meter.
    """
    guidance: float | None
    """Classifier-free guidance scale. None if the generator has no guidance."""


MODES = (
    Mode("simple", is_conditioned=False, guidance=3.0),
    Mode("medium", is_conditioned=True, guidance=3.0),
    Mode("strong", is_conditioned=True, guidance=5.0),
)
"""The default modes. The only difference between `medium` and `strong` is the guidance."""

SWEEP = "sweep"
"""Name of all modes in a guidance sweep. They are like `strong`, with other guidance values."""


def modes_for_generator(
    modes: Sequence[Mode], sweep: Sequence[float], *, has_guidance: bool
) -> list[Mode]:
    """Return the modes in which a generator makes clips, without duplicates.

    The result contains `modes`, and a mode named `sweep` for each guidance value in `sweep`. For a
    generator without guidance, it contains no sweep, and only one mode per name, whose guidance is
    None.
    """
    if not has_guidance:
        return list({mode.name: replace(mode, guidance=None) for mode in modes}.values())
    sweep_modes = [Mode(SWEEP, is_conditioned=True, guidance=guidance) for guidance in sweep]
    return list(dict.fromkeys([*modes, *sweep_modes]))
