"""Generation: what was made of the targets, how like them it is, and one target's clips to hear."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import streamlit as st
from markupsafe import Markup

from dashboard import cached, empty, markup, modes, rating
from dashboard.player import player
from dashboard.target import choose, heading
from mirpipe.db import reports

SIDE_BY_SIDE = 4
Scores = Mapping[int, Sequence[reports.GenerationScore]]


def caption(told: reports.Caption) -> None:
    """A captioner's words beside what was measured, and where the two contradict."""
    words, measured = st.columns(2, gap="large")
    with words:
        markup.show(
            markup.weights(
                f"Caption by {told.captioner}", told.licence_weights, random=told.random
            ),
            Markup("<div class='mp-quote'><bdi>{}</bdi></div>").format(told.caption),
        )
    with measured:
        markup.show(
            Markup("<h3 class='mp-encoder'>Measured</h3>"),
            markup.readings(measurements(told), wrap=True),
        )
        if "length" in told.reasons:
            markup.show(markup.line(f"of the {said(told.reasons['length'])}"))
    if told.contradictions:
        markup.show(markup.alert("The caption contradicts the measurement", told.contradictions))


def measurements(told: reports.Caption) -> list[tuple[str, Markup]]:
    """What was measured of the target, or why it could not be."""
    values = {
        "tempo_bpm": ("tempo", told.tempo_bpm and f"{told.tempo_bpm:.1f} BPM"),
        "meter": ("meter", told.meter and f"{told.meter} beats a bar"),
        "key": ("key", told.key),
        "voiced_fraction": ("voiced", f"{told.voiced_fraction:.0%} of frames"),
    }
    return [
        (
            name,
            Markup("{}").format(value or markup.DASH)
            + (markup.small(said(told.reasons[field])) if field in told.reasons else ""),
        )
        for field, (name, value) in values.items()
    ]


def said(reason: str) -> str:
    """A reason's code, in words."""
    return reason.replace("_", " ")


def scores(
    of_clip: Sequence[reports.GenerationScore],
    aesthetics: reports.Aesthetics | None,
    random: set[str],
) -> Markup:
    """A clip's numbers; below one that is missing, why, and below one by random weights, that."""
    readings: list[tuple[str, str]] = []
    for score in of_clip:
        if score.metric in modes.AXES:
            continue
        shown = Markup("{}").format(markup.number(score.value, modes.LIKENESS_DECIMALS))
        if score.value is None:
            shown += markup.small(said(score.reason or "not measured"))
        if score.metric in random:
            shown += markup.small(markup.RANDOM)
        readings.append((modes.named(score.metric), shown))
    return markup.readings([*readings, *rating.readings(aesthetics)], wrap=True)


def clips(
    target: reports.Target,
    made: Sequence[reports.Generation],
    aesthetics: Mapping[int, reports.Aesthetics],
    random: set[str],
) -> None:
    """A row of columns a generator, a column a mode and guidance, its seeds one below the other."""
    of_clip: dict[int, list[reports.GenerationScore]] = defaultdict(list)
    for score in reports.generation_scores(target.track_id):
        of_clip[score.track_id].append(score)
    files = reports.live_files([clip.track_id for clip in made])
    for generator in dict.fromkeys(clip.generator for clip in made):
        columns: dict[tuple[str, float | None], list[reports.Generation]] = defaultdict(list)
        for clip in made:
            if clip.generator == generator:
                columns[clip.mode, clip.guidance].append(clip)
        first_clip = next(iter(columns.values()))[0]
        markup.show(
            markup.weights(
                f"Made by {generator}", first_clip.licence_weights, random=first_clip.random
            )
        )
        heads = list(columns)
        for first in range(0, len(heads), SIDE_BY_SIDE):
            shown = heads[first : first + SIDE_BY_SIDE]
            for head, column in zip(shown, st.columns(len(shown), gap="medium"), strict=True):
                with column:
                    markup.show(mode_head(*head))
                    for at, clip in enumerate(columns[head]):
                        readings = scores(
                            of_clip[clip.track_id], aesthetics.get(clip.track_id), random
                        )
                        card(target, clip, readings, files.get(clip.track_id, []), at)


def mode_head(mode: str, guidance: float | None) -> Markup:
    """A mode and its guidance."""
    return Markup("<div>{} <span class='mp-muted'>guidance {}</span></div>").format(
        markup.title(mode), modes.guided(guidance)
    )


def card(
    target: reports.Target,
    clip: reports.Generation,
    readings: Markup,
    files: Sequence[reports.LiveFile],
    at: int,
) -> None:
    """One clip: what it was made from, its numbers and its player."""
    with st.container(border=True, gap="xsmall"):
        markup.show(
            Markup("<div>seed {} <span class='mp-muted'>· {}</span></div>").format(
                clip.seed, markup.length(clip.seconds)
            ),
            markup.line(clip.prompt),
            readings,
        )
        way = f"{clip.generator} {clip.mode} {modes.guided(clip.guidance)} seed {clip.seed}"
        player(files, name=f"{way}, made of {target.title}", key=f"{way} {at}")


def one_target(run: reports.Run, *, any_clip: bool) -> None:
    """A chosen target with its caption and its clips."""
    st.subheader("One target's clips", anchor=False)
    target = choose(cached.targets(cached.key(run)))
    made = reports.generations(target.track_id)
    tracks = [target.track_id, *(clip.track_id for clip in made)]
    aesthetics = reports.aesthetics(tracks)
    files = reports.live_files([target.track_id]).get(target.track_id, [])
    heading(target, files, aesthetics.get(target.track_id))
    for told in reports.captions(target.track_id):
        caption(told)
    if not made:
        if any_clip:
            empty.clips_of_target()
        return
    serving = [row for row in cached.encoders(cached.key(run)) if row.serving]
    clips(target, made, aesthetics, {f"cosine {row.encoder}" for row in serving if row.random})
    licences = [f"{row.encoder}: {row.licence_weights or 'not stated'}" for row in serving]
    markup.show(markup.line(f"Licences of the weights behind the cosines: {'; '.join(licences)}"))
    rating.explain(list(aesthetics.values()))


def main() -> None:
    """The page, as far as there is something to show."""
    st.title("Generation", anchor=False)
    run = reports.latest_run()
    counts = cached.library()
    if run is None:
        if counts:
            empty.results()
        else:
            empty.library()
        return
    if not cached.targets(cached.key(run)):
        empty.targets()
        return
    rows = cached.generation_summary(cached.key(run))
    any_clip = any(row.collection == "generated" for row in counts)
    if rows:
        modes.results(run, rows)
    elif any_clip:
        empty.clip_scores()
    else:
        empty.clips()
    one_target(run, any_clip=any_clip)


main()
