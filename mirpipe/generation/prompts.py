"""The words that a generator is given: a caption, and in some modes what was measured."""

from mirpipe.music.features import CONDITIONING_VERSION
from mirpipe.records import Features


def template(*, is_conditioned: bool) -> str:
    """Names what a generator is given and how that is made; another one makes other clips."""
    if not is_conditioned:
        return "caption"
    return f"caption; tempo, meter; conditioning {CONDITIONING_VERSION}"


def prompt(caption: str, features: Features, *, is_conditioned: bool) -> tuple[str, dict[str, str]]:
    """The text, and its parts by name.

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
