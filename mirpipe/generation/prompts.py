"""Builds a generator's prompt from a caption and from the measured tempo and meter."""

from mirpipe.music.features import CONDITIONING_VERSION
from mirpipe.records import Features


def prompt_template(*, is_conditioned: bool) -> str:
    """Return a text that identifies how the prompt and the conditioning audio are made.

    The text is stored with each clip. If it changes, all clips are generated again.
    """
    if not is_conditioned:
        return "caption"
    return f"caption; tempo and its octaves, meter; conditioning {CONDITIONING_VERSION}"


def build_prompt(
    caption: str, features: Features, *, is_conditioned: bool
) -> tuple[str, dict[str, str]]:
    """Return the prompt, and its parts by name: caption, tempo and meter.

    Without conditioning audio, the prompt is the unchanged caption. With conditioning audio, the
    tempo and the meter are appended if they could be measured. If a listener may also count half or
    double the tempo, the prompt names both tempos.
    """
    parts = {"caption": caption}
    if is_conditioned and features.tempo_bpm is not None:
        tempos = " or ".join(f"{bpm:.0f}" for bpm in features.plausible_tempos)
        parts["tempo"] = f"{tempos} BPM"
    if is_conditioned and features.meter is not None:
        parts["meter"] = f"{features.meter} beats per bar"
    measured = ", ".join(parts[name] for name in ("tempo", "meter") if name in parts)
    if not measured:
        return caption, parts
    return f"{caption.rstrip('. ')}. {measured[0].upper()}{measured[1:]}.", parts
