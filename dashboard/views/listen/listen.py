"""Listen: a target beside each encoder's answers and each mode's clips, all at one level."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components import aesthetics_rating, empty_states, markup
from dashboard.components.player import common_level
from dashboard.components.target_picker import choose, heading
from dashboard.components.waveform_and_chroma import pictures
from dashboard.data import cached_queries
from dashboard.views.listen import match_cards, clip_cards
from dashboard.views.listen.match_cards import CHANCE, Known
from mirpipe.db import queries

DEPTHS = (1, 3, 5, 10)
DEEPEST = DEPTHS[-1]
PARTS = ("answers", "clips")


def nearest(run: queries.Run, found: Sequence[queries.Match], depth: int, known: Known) -> None:
    """The encoders' answers."""
    st.subheader("Nearest references", anchor=False)
    if not found:
        empty_states.answers()
        return
    st.caption(
        "Cosines of different encoders are not comparable; z is in standard deviations above this "
        "target's cosines to the whole library. Percentile: share of library pairs that are no "
        f"more alike. Melody: share of frames with the same pitch class, by chance about {CHANCE}."
    )
    serving = {
        row.encoder: row for row in cached_queries.encoders(cached_queries.key(run)) if row.serving
    }
    match_cards.side_by_side(found, depth, serving, known)


def made_of(
    run: queries.Run, target: queries.Target, made: Sequence[queries.Generation], known: Known
) -> None:
    """The generators' clips."""
    st.subheader("Made of this target", anchor=False)
    if not made:
        empty_states.clips_of_target()
        return
    serving = [row for row in cached_queries.encoders(cached_queries.key(run)) if row.serving]
    random = {f"cosine {row.encoder}" for row in serving if row.random}
    clip_cards.side_by_side(target, made, queries.generation_scores(target.track_id), random, known)
    licences = [f"{row.encoder}: {row.licence_weights or 'not stated'}" for row in serving]
    markup.show(markup.line(f"Licences of the weights behind the cosines: {'; '.join(licences)}"))


def page(run: queries.Run, targets: Sequence[queries.Target]) -> None:
    """A chosen target and what belongs to it."""
    pick, part, depth = st.columns([3, 1.2, 1.2], vertical_alignment="bottom")
    with pick:
        target = choose(targets)
    with part:
        shown = st.segmented_control(
            "Show",
            PARTS,
            default=list(PARTS),
            selection_mode="multi",
            key="show",
            bind="query-params",
        )
    with depth:
        k = st.segmented_control(
            "Answers", DEPTHS, default=3, key="k", bind="query-params", required=True
        )
    found = (
        cached_queries.matches(cached_queries.key(run), target.track_id, DEEPEST)
        if "answers" in shown
        else []
    )
    made = queries.generations(target.track_id) if "clips" in shown else []
    heard = [answer.reference_id for answer in found if answer.rank <= (k or 3)]
    tracks = [target.track_id, *dict.fromkeys([*heard, *(clip.track_id for clip in made)])]
    files = queries.live_files(tracks)
    level = common_level(files.values())
    known = Known(files, queries.aesthetics(tracks), queries.pictures(tracks), level)
    drawn = pictures(known.pictures.get(target.track_id), name=target.title)
    heading(
        target,
        files.get(target.track_id, []),
        known.aesthetics.get(target.track_id),
        drawn,
        level=level,
    )
    st.caption(
        f"Every player is turned down to the quietest track's level ({markup.number(level, 1)} "
        "dBFS), by as many dB as stand above it. Pictures: outline, and below it how often each "
        "pitch class is strongest, from C at the bottom to B on top."
    )
    aesthetics_rating.explain(list(known.aesthetics.values()))
    if "answers" in shown:
        nearest(run, found, k or 3, known)
    if "clips" in shown:
        made_of(run, target, made, known)


def main() -> None:
    """The page, as far as there is something to show."""
    st.title("Listen", anchor=False)
    run = queries.latest_run()
    if run is None:
        if cached_queries.library():
            empty_states.results()
        else:
            empty_states.library()
        return
    targets = cached_queries.targets(cached_queries.key(run))
    if not targets:
        empty_states.targets()
        return
    page(run, targets)


main()
