"""Writes small checkpoints with random weights for all models, in the published formats.

Each file is written as FOLDER/REPOSITORY/FILE, where MIRPIPE_STAND_INS=FOLDER looks for it.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.models.adapters import (
    random_ace_step_weights,
    random_audiobox_weights,
    random_audiocraft_weights,
    random_clap_weights,
    random_mert_weights,
    random_muq_mulan_weights,
    random_muq_weights,
    random_music2latent_weights,
    random_musicgen_weights,
    random_qwen2_audio_weights,
)

WRITERS: dict[str, Callable[[Path], None]] = {
    "ace_step": random_ace_step_weights.write,
    "audiobox_aesthetics": random_audiobox_weights.write,
    "clap": partial(random_clap_weights.write, "clap", "HTSAT-base"),
    "clap_630k": partial(random_clap_weights.write, "clap_630k", "HTSAT-tiny"),
    "music2latent": random_music2latent_weights.write,
    "mert": random_mert_weights.write,
    "muq": random_muq_weights.write,
    "muq_mulan": random_muq_mulan_weights.write,
    "musicgen_melody": random_musicgen_weights.write,
    "musicgen_melody_audiocraft": random_audiocraft_weights.write,
    "qwen2_audio": random_qwen2_audio_weights.write,
}
"""For each plug-in, the function that writes its random weights into a folder."""


def write_all(folder: Path) -> None:
    """Write the random weights of every plug-in that needs weights."""
    for write in WRITERS.values():
        write(folder)
