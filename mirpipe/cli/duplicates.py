"""`mirpipe duplicates`: lists groups of tracks with the same audio, recording or tune."""

import json
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson, OnlyCollections
from mirpipe.cli.terminal_text import escape_markup, wide_console
from mirpipe.db import queries

_REASONS = {
    "needs_chromaprint": "libchromaprint was not installed (Debian: apt-get install "
    "libchromaprint1). After the installation, run `mirpipe ingest` and `mirpipe run` again",
    "not_computed": "they were ingested by an earlier version (run `mirpipe ingest` and `mirpipe "
    "run` again), or could not be decoded (see `mirpipe failures`)",
    "too_short": "they are shorter than 7.6 s",
    "silent": "they are almost completely silent",
    "failed": "Chromaprint has failed (the next `mirpipe ingest` tries again)",
}


class Relation(StrEnum):
    """How two tracks are related."""

    SAME_FILE = "same_file"
    SAME_RECORDING = "same_recording"
    SAME_TUNE = "same_tune"


def duplicates(
    relation: Annotated[
        list[Relation] | None,
        typer.Option(
            help="List only this relation. Repeat for several relations. By default, same_file and "
            "same_recording."
        ),
    ] = None,
    collection: OnlyCollections = None,
    as_json: AsJson = False,
) -> None:
    """List tracks with the same audio, recording or tune, in groups.

    \b
        same_file       several files or collections have the same audio
        same_recording  another encoding or a cut: the fingerprints have a
                        passage in common
        same_tune       another version: the aligned melody of a target and one
                        of its matches is far above that of unrelated music, or
                        two references are versions of the same target

    The fingerprints are computed by `mirpipe ingest` and compared by `mirpipe run`. A copy that is
    tuned differently or played faster may not be found as same_recording.
    """
    groups = queries.duplicate_groups(
        relations=[each.value for each in relation or list(Relation)[:2]],
        collections=collection or [],
    )
    state = queries.fingerprint_state()
    if as_json:
        result = {"groups": [asdict(group) for group in groups]} | asdict(state)
        print(json.dumps(result))
        return
    console = wide_console()
    for number, group in enumerate(groups, start=1):
        console.print(f"group {number}", style="bold")
        _print_group(group)
    if not groups:
        console.print("no duplicates")
    for reason, tracks in state.missing.items():
        explanation = _REASONS.get(reason, reason)
        console.print(f"Tracks without a fingerprint: {tracks}, because {explanation}.")
    if state.not_compared:
        console.print(f"Tracks not compared yet: {state.not_compared}. Run `mirpipe run`.")


def _print_group(group: queries.DuplicateGroup) -> None:
    """Print the tracks of a group with their paths, and then the evidence for each pair."""
    console = wide_console()
    places = {track.track_id: place for place, track in enumerate(group.tracks, start=1)}
    for track in group.tracks:
        heading = f"  {places[track.track_id]}. {track.title} ({track.collection})"
        console.print(escape_markup(heading))
        for path in track.paths:
            console.print(escape_markup(f"     {path}"), soft_wrap=True)
    for pair in group.pairs:
        numbers = f"{places[pair.track_id]} and {places[pair.other_id]}"
        console.print(escape_markup(f"  {numbers}: {pair.relation}{_evidence(pair)}"))


def _evidence(pair: queries.RelatedPair) -> str:
    """Return the evidence as a list in words, with a comma before each part."""
    parts = []
    if pair.agreement is not None and pair.relation == "same_recording":
        parts.append(f"{100 * pair.agreement:.0f}% equal bits")
        parts.append(f"{pair.overlap_seconds:.1f} s in common")
        parts.append(f"offset {pair.offset_seconds:.1f} s")
    if pair.aligned_melody is not None:
        parts.append(f"aligned melody {pair.aligned_melody:.2f}")
    if pair.cosine is not None:
        parts.append(f"cosine {pair.cosine:.3f} ({pair.encoder})")
    if pair.via_target_id is not None:
        parts.append("versions of the same target")
    return "".join(f", {part}" for part in parts)
