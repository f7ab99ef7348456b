"""Finds the clips that the settings request and that do not exist, and estimates their cost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mirpipe import registry
from mirpipe.db.engine import engine
from mirpipe.db.store import excerpts, generations, plugin_revisions
from mirpipe.db.store.generations import PendingClip, RequestedClip
from mirpipe.generation import modes
from mirpipe.generation.prompts import prompt_template
from mirpipe.settings import settings
from mirpipe.specs import GeneratorSpec


@dataclass(frozen=True)
class ClipSelection:
    """The pending clips that a run makes. None means no restriction."""

    target_ids: Sequence[int] | None = None
    modes: Sequence[str] | None = None
    seeds: int | None = None
    """Number of clips per target and mode. None means the number in the settings.

    Clips with more seeds than in the settings are stored, but do not enter the results.
    """
    limit: int | None = None
    """Largest number of clips that one run makes."""


@dataclass(frozen=True)
class Estimate:
    """The number and duration of the clips that a run would make, and how long it would take."""

    clips: int
    seconds: float
    """Total duration of the clips, in seconds."""
    modes: dict[str, int]
    """Number of clips per mode."""
    takes_seconds: float | None
    """Time in seconds, estimated from earlier clips. None if the generator has no earlier clips."""


def register(generator: str) -> int:
    """Register the generator's current revision and its configured clips, and return its id.

    The excerpt of each target is chosen as well.
    """
    spec = registry.GENERATORS.spec(generator)
    with engine("app").begin() as connection:
        generator_id = plugin_revisions.register_generator(
            connection, spec, registry.revision(spec)
        )
        generations.set_requested_clips(
            connection, generator_id, _requested_clips(spec, settings().seeds)
        )
        excerpts.choose(connection, settings().generate_seconds)
    return generator_id


def deactivate_other_generators(generators: Sequence[str]) -> None:
    """Mark all other generators as not configured. Their existing clips are kept."""
    with engine("app").begin() as connection:
        plugin_revisions.unconfigure_other_generators(connection, generators)


ALL_CLIPS = ClipSelection()


def plan(generator: str, selection: ClipSelection = ALL_CLIPS) -> list[PendingClip]:
    """Return the selected pending clips. All clips of a target are next to each other."""
    generator_id, spec = register(generator), registry.GENERATORS.spec(generator)
    with engine("app").begin() as connection:
        # Only this transaction sees the seeds of the selection, because the results are about the
        # clips that the settings request.
        if selection.seeds is not None:
            generations.set_requested_clips(
                connection, generator_id, _requested_clips(spec, selection.seeds)
            )
        pending = generations.pending(
            connection, generator_id, target_ids=selection.target_ids, modes=selection.modes
        )
        generations.set_requested_clips(
            connection, generator_id, _requested_clips(spec, settings().seeds)
        )
    return pending[: selection.limit]


def estimate(generator: str, pending: Sequence[PendingClip]) -> Estimate:
    """Return the number and duration of these clips, and the time needed to generate them."""
    seconds = sum(clip.seconds for clip in pending)
    spec = registry.GENERATORS.spec(generator)
    with engine("app").connect() as connection:
        factor = generations.real_time_factor(connection, spec.name, registry.revision(spec))
    return Estimate(
        clips=len(pending),
        seconds=seconds,
        modes=dict(Counter(clip.mode for clip in pending)),
        takes_seconds=None if factor is None else seconds * factor,
    )


def _requested_clips(spec: GeneratorSpec, seeds: int) -> list[RequestedClip]:
    """Return the clips of every target in the configured modes, with the seeds below `seeds`."""
    configured = settings()
    return [
        RequestedClip(
            mode=mode.name,
            is_conditioned=mode.is_conditioned,
            guidance=mode.guidance,
            seed=seed,
            template=prompt_template(is_conditioned=mode.is_conditioned),
            longest_seconds=min(configured.generate_seconds, spec.longest_seconds),
        )
        for mode in modes.modes_for_generator(
            configured.modes, configured.guidance_sweep, has_guidance=spec.has_guidance
        )
        for seed in range(seeds)
    ]
