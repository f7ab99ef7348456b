"""Which vectors are missing, and which encoders can make them on this machine."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mirpipe import registry
from mirpipe.db.engine import engine
from mirpipe.db.store import embeddings, failures, plugins
from mirpipe.errors import Unavailable
from mirpipe.records import EncoderSpec

_SUBJECT = "encoder:"


@dataclass(frozen=True)
class EmbedBatch:
    """Tracks that lack the same encoders, which run in the same interpreter."""

    encoders: tuple[str, ...]
    track_ids: tuple[int, ...]


def plan(encoders: Sequence[str], *, batch_tracks: int, tasks: int = 1) -> list[EmbedBatch]:
    """The missing vectors of the available encoders in batches; no others are kept up to date.

    Encoders share a batch where they can share a decoding. What would fill less than `tasks`
    batches is spread over so many, but over no more than there are encoders. A broken encoder
    stays wanted and gets one batch without tracks, for a task that fails and says why.
    """
    usable, problems = _tried(encoders)
    _write_down(usable, problems)
    broken = [name for name, why in problems.items() if not isinstance(why, Unavailable)]
    lacking: dict[int, list[str]] = {}
    for name in usable:
        encoder_id = register(registry.ENCODERS.spec(name))
        with engine("app").connect() as connection:
            for track_id in embeddings.pending(connection, encoder_id):
                lacking.setdefault(track_id, []).append(name)
    batches = [EmbedBatch((name,), ()) for name in broken]
    for names, ids in _groups(lacking, usable).items():
        share = -(-len(ids) // min(tasks, len(names)))
        batches += [EmbedBatch(names, some) for some in _chunks(ids, min(batch_tracks, share))]
    with engine("app").begin() as connection:
        plugins.want_only(connection, [*usable, *broken])
        failures.forget_others(
            connection, stage="embed", prefix=_SUBJECT, subjects=_subjects(encoders)
        )
    return batches


def available(encoders: Sequence[str]) -> dict[str, Path]:
    """Those that can run on this machine, each with its interpreter.

    The ledger says of the others what they want, or what is wrong with them.
    """
    usable, problems = _tried(encoders)
    _write_down(usable, problems)
    return usable


def register(spec: EncoderSpec) -> int:
    """The id of the encoder's present revision, made known to the database as the wanted one."""
    with engine("app").begin() as connection:
        return plugins.register_encoder(connection, spec, registry.revision(spec))


def write_down(encoder: str, problem: Exception) -> None:
    """Puts into the ledger why the encoder cannot run; the next plan tries it again."""
    _write_down((), {encoder: problem})


def _tried(encoders: Sequence[str]) -> tuple[dict[str, Path], dict[str, Exception]]:
    usable: dict[str, Path] = {}
    problems: dict[str, Exception] = {}
    for name in encoders:
        try:
            usable[name] = registry.ENCODERS.interpreter(name)
        except Exception as problem:  # noqa: BLE001 - a broken plug-in may raise anything
            problems[name] = problem
    return usable, problems


def _write_down(working: Iterable[str], problems: Mapping[str, Exception]) -> None:
    with engine("app").begin() as connection:
        failures.clear(connection, stage="embed", subjects=_subjects(working))
        for name, problem in problems.items():
            wants = problem.reason if isinstance(problem, Unavailable) else None
            failures.record(
                connection,
                stage="embed",
                subject=f"{_SUBJECT}{name}",
                reason=wants or type(problem).__name__,
                message=str(problem),
                retry=True,
            )


def _subjects(encoders: Iterable[str]) -> list[str]:
    return [f"{_SUBJECT}{name}" for name in encoders]


def _groups(
    lacking: Mapping[int, Sequence[str]], interpreters: Mapping[str, Path]
) -> dict[tuple[str, ...], list[int]]:
    """By encoders of one interpreter, the tracks that lack just these of it, ascending."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for track_id in sorted(lacking):
        together: dict[Path, list[str]] = {}
        for name in lacking[track_id]:
            together.setdefault(interpreters[name], []).append(name)
        for names in together.values():
            groups.setdefault(tuple(names), []).append(track_id)
    return groups


def _chunks(ids: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    for start in range(0, len(ids), size):
        yield tuple(ids[start : start + size])
