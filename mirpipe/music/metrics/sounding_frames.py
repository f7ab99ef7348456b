"""Returns the frames of two melodies in which neither track is silent."""

from mirpipe.music.features.melody_pitch_classes import PITCH_CLASSES
from mirpipe.records import UInt8


def sounding_frames(target: UInt8, reference: UInt8) -> tuple[UInt8, UInt8]:
    """Return the pitch classes of the frames in which both tracks sound, two arrays of shape (n,).

    The arguments have the shapes (frames of the target,) and (frames of the reference,), dtype
    uint8. Frames after the end of the shorter track are left out.
    """
    frames = min(len(target), len(reference))
    target, reference = target[:frames], reference[:frames]
    both = (target < PITCH_CLASSES) & (reference < PITCH_CLASSES)
    if both.all():  # Most pairs have no silent frames, and copying them takes most of the time.
        return target, reference
    return target[both], reference[both]
