"""The ways in which every target is generated anew, and the words that each gives to a model."""

from collections.abc import Sequence
from dataclasses import replace

from mirpipe.musical import Features, GeneratorSpec, Mode

MODES = (
    Mode("simple", is_conditioned=False, guidance=3.0),
    Mode("medium", is_conditioned=True, guidance=3.0),
    Mode("strong", is_conditioned=True, guidance=5.0),
)
"""medium and strong share prompt and conditioning audio: only guidance differs between them."""

TEMPLATE = "caption; tempo, meter"
"""Names the way in which `prompt` puts its parts together; another one makes other generations."""

SWEEP = "sweep"
"""Name of the modes of a guidance sweep: as strong, at other guidance."""


def prompt(caption: str, features: Features, *, is_conditioned: bool) -> tuple[str, dict[str, str]]:
    """The text for a model, and its parts by name.

    Of text alone: the caption verbatim. With conditioning audio, what was measured of the target
    follows; what could not be measured is left out.
    """
    parts = {"caption": caption}
    if is_conditioned and features.tempo_bpm is not None:
        parts["tempo"] = f"{features.tempo_bpm:.0f} BPM"
    if is_conditioned and features.meter is not None:
        parts["meter"] = f"{features.meter} beats per bar"
    measured = ", ".join(parts[name] for name in ("tempo", "meter") if name in parts)
    if not measured:
        return caption, parts
    return f"{caption.rstrip('. ')}. {measured[0].upper()}{measured[1:]}.", parts


def modes_for(spec: GeneratorSpec, modes: Sequence[Mode], sweep: Sequence[float]) -> list[Mode]:
    """The modes that the generator makes: `modes`, and one for each guidance of `sweep`.

    One that has no guidance makes each conditioning of `modes` under its name, and no sweep.
    """
    if not spec.has_guidance:
        return list({mode.name: replace(mode, guidance=None) for mode in modes}.values())
    swept = [Mode(SWEEP, is_conditioned=True, guidance=guidance) for guidance in sweep]
    return list(dict.fromkeys([*modes, *swept]))
