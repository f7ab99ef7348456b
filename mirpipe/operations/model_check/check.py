"""Compares a model with its library and with itself, on the machine and weights of the user."""

import json
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mirpipe import registry
from mirpipe.errors import StageFailed
from mirpipe.models.interpreters import cannot_be_run
from mirpipe.operations.model_check.measurement import Measurement, Role
from mirpipe.operations.model_check.musical_facts import (
    Fact,
    facts_of_clips,
    facts_of_scores,
    facts_of_vectors,
)
from mirpipe.parent_death_signal import dies_with_parent
from mirpipe.records import Float64
from mirpipe.settings import child_environment, settings

CHECKED = (
    "ace_step",
    "audiobox_aesthetics",
    "clap",
    "clap_630k",
    "mert",
    "music2latent",
    "muq",
    "muq_mulan",
    "musicgen_melody",
    "musicgen_melody_audiocraft",
    "qwen2_audio",
)
"""Plug-ins whose library can be called on the same input."""

LOWEST_COSINE = 0.999
"""Lowest cosine between a vector or a clip and the library's that counts as agreement, also in
bfloat16."""
LARGEST_DIFFERENCE = 0.05
"""Largest difference between a score and the library's that counts as agreement."""


@dataclass(frozen=True)
class ModelCheck:
    """The result of the check of one plug-in."""

    name: str
    is_random: bool
    """Whether the weights are random, as in tests."""
    cosine: float | None
    """Lowest cosine between mirpipe's and the library's vector of a clip, or between the samples
    that they generated. None for scores and captions."""
    text_cosine: float | None
    """Lowest cosine between mirpipe's and the library's vector of a text. None if the model does
    not embed text, or if the weights that only texts need are missing."""
    difference: float | None
    """Largest difference between mirpipe's and the library's score. None for other models."""
    other_captions: int | None
    """Number of captions that are not those of the library. None for other models."""
    agrees: bool
    is_deterministic: bool
    """Whether two processes computed equal bytes."""
    seconds: float
    """Time for all clips, without loading the model."""
    library_seconds: float
    peak_megabytes: float | None
    library_peak_megabytes: float | None
    facts: list[Fact]

    @property
    def passed(self) -> bool:
        """Whether the model agrees with the library and is deterministic."""
        return self.agrees and self.is_deterministic


def check(name: str, demo: Path) -> ModelCheck:
    """Run the plug-in in two processes and its library in a third, and compare the results.

    `demo` is the folder of the demo library. Raises Unavailable if weights or libraries are
    missing or the interpreter cannot be run, and StageFailed if a process fails.
    """
    python = registry.plugins_of(name).interpreter(name)
    roles: tuple[Role, ...] = ("mirpipe", "mirpipe", "library")
    first, second, library = (_measure(python, name, role, demo) for role in roles)
    return compare(name, first, second, library)


def compare(name: str, first: Measurement, second: Measurement, library: Measurement) -> ModelCheck:
    """Return the result for two measurements of the plug-in and one of its library."""
    kind = registry.plugins_of(name)
    rows, expected = np.asarray(first.rows), np.asarray(library.rows)
    cosine = text_cosine = difference = other_captions = None
    facts: list[Fact] = []
    if kind is registry.CAPTIONERS:
        pairs = zip(first.captions, library.captions, strict=True)
        other_captions = sum(caption != other for caption, other in pairs)
        agrees = not other_captions
    elif kind is registry.TRACK_METRICS:
        difference = float(np.abs(rows - expected).max())
        agrees = difference <= LARGEST_DIFFERENCE
        facts = facts_of_scores(rows, kind.declared(name).axes)
    else:
        cosine = _lowest_cosine(rows, expected)
        agrees = cosine >= LOWEST_COSINE
        texts = None if first.texts is None else np.asarray(first.texts)
        if texts is not None and library.texts is not None:
            text_cosine = _lowest_cosine(texts, np.asarray(library.texts))
            agrees = agrees and text_cosine >= LOWEST_COSINE
        is_encoder = kind is registry.ENCODERS
        facts = facts_of_vectors(rows, texts) if is_encoder else facts_of_clips(rows)
    return ModelCheck(
        name=name,
        is_random=kind.spec(name).is_random,
        cosine=cosine,
        text_cosine=text_cosine,
        difference=difference,
        other_captions=other_captions,
        agrees=agrees,
        is_deterministic=_results(first) == _results(second),
        seconds=first.seconds,
        library_seconds=library.seconds,
        peak_megabytes=first.peak_megabytes,
        library_peak_megabytes=library.peak_megabytes,
        facts=facts,
    )


def _lowest_cosine(rows: Float64, others: Float64) -> float:
    """Return the lowest cosine between rows with the same number, both of shape (n, dimension)."""
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(others, axis=1)
    return float(((rows * others).sum(1) / lengths).min())


def _results(measurement: Measurement) -> tuple[object, ...]:
    return measurement.rows, measurement.texts, measurement.captions


def _measure(python: Path, name: str, role: Role, demo: Path) -> Measurement:
    """Return the measurement of a new process. Its messages go to this terminal."""
    with TemporaryDirectory() as folder:
        output = Path(folder) / "measurement.json"
        module = "mirpipe.operations.model_check.measurement"
        try:
            process = subprocess.run(
                [str(python), "-P", "-m", module, name, role, str(demo), str(output)],
                stdout=subprocess.DEVNULL,
                env=child_environment(without="AIRFLOW", **settings().as_environment()),
                preexec_fn=dies_with_parent(signal.SIGKILL),
                check=False,
            )
        except OSError as error:
            raise cannot_be_run(python, error) from error
        if process.returncode:
            raise StageFailed(
                f"The check of {name} ({role}) ended with exit code {process.returncode} in the "
                f"interpreter {python}. Its messages are above; correct their cause and run "
                f"`mirpipe models check {name}` again."
            )
        return Measurement(**json.loads(output.read_text()))
