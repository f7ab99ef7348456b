"""What was made of the targets, from which words, and how good it is."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import rows


@dataclass(frozen=True)
class GenerationSummary:
    """Mean and sd (population) of a number over the clips of a mode and guidance.

    `metric` is "cosine" and an encoder, the similarity of target and clip in that space, or a
    metric's name. `guidance` is None where the generator has none. `licence_weights` and `random`
    (random weights say nothing about music) are about the generator; those of what measured,
    empty and False where it has no weights, begin with `metric_`.
    """

    generator: str
    mode: str
    guidance: float | None
    metric: str
    n: int
    undefined_n: int
    mean: float | None
    sd: float | None
    licence_weights: str
    random: bool
    metric_licence_weights: str
    metric_random: bool
    low: float | None = None
    """Lower end of the mean's 95 % interval over targets; None where there is none."""
    high: float | None = None


@dataclass(frozen=True)
class Delta:
    """Two modes compared over the targets that both have a number for, a target's seeds averaged.

    `mean_difference` is the first mode less the other, `sd` (population) that of the differences,
    `higher_n` at how many of the `n` targets the first is higher.
    """

    generator: str
    metric: str
    mode: str
    guidance: float | None
    than_mode: str
    than_guidance: float | None
    n: int
    mean_difference: float | None
    sd: float | None
    higher_n: int
    random: bool
    low: float | None = None
    """Lower end of the difference's 95 % interval over targets; None where there is none."""
    high: float | None = None
    p_holm: float | None = None
    """Of a sign-flip test, corrected for all comparisons of the generator."""
    established: bool = False
    """p_holm is below 0.05."""


@dataclass(frozen=True)
class Caption:
    """A captioner's words for a target, beside what was measured; None: could not be measured.

    `contradictions` says where the two differ, `reasons` why a measurement is missing.
    """

    track_id: int
    title: str
    captioner: str
    caption: str
    contradictions: list[str]
    tempo_bpm: float | None
    meter: int | None
    key: str | None
    voiced_fraction: float
    reasons: dict[str, str]
    licence_weights: str
    random: bool


@dataclass(frozen=True)
class Generation:
    """A clip that was made of a target; `track_id` is the clip, a track like any other."""

    generator: str
    mode: str
    guidance: float | None
    seed: int
    prompt: str
    seconds: float
    target_id: int
    track_id: int
    licence_weights: str
    random: bool


@dataclass(frozen=True)
class GenerationScore:
    """A number of a clip, or the reason why there is none."""

    track_id: int
    metric: str
    value: float | None
    reason: str | None


@dataclass(frozen=True)
class TargetScore:
    """A number of the clips of one target in one mode, a mean over seeds; None: undefined."""

    target_id: int
    target: str
    generator: str
    mode: str
    guidance: float | None
    metric: str
    value: float | None
    clips: int


# A mode's rank among those of its generator: text alone first, then by guidance.
_ORDER = """
    SELECT generator, mode, guidance, row_number() OVER (ORDER BY generator,
        bool_or(is_conditioned),
        guidance NULLS FIRST, mode) AS place
    FROM mirpipe.v_generation GROUP BY generator, mode, guidance
"""
_SUMMARY = text(f"""
    SELECT s.generator, s.mode, s.guidance, s.metric, s.n, s.undefined_n, s.mean, s.sd,
        s.licence_weights, s.random, s.low, s.high,
        coalesce(s.metric_licence_weights, '') AS metric_licence_weights,
        coalesce(s.metric_random, false) AS metric_random
    FROM mirpipe.v_generation_summary s
    LEFT JOIN ({_ORDER}) o ON o.generator = s.generator AND o.mode = s.mode
        AND o.guidance IS NOT DISTINCT FROM s.guidance
    WHERE s.source = 'library'
    ORDER BY o.place, s.metric
""")
_DELTAS = text(f"""
    SELECT d.generator, d.metric, d.mode, d.guidance, d.than_mode, d.than_guidance, d.n,
        d.mean_difference, d.sd, d.higher_n, d.random, d.low, d.high, d.p_holm, d.established
    FROM mirpipe.v_generation_delta d
    JOIN ({_ORDER}) a ON a.generator = d.generator AND a.mode = d.mode
        AND a.guidance IS NOT DISTINCT FROM d.guidance
    WHERE d.source = 'library'
    ORDER BY d.metric, a.place, d.than_mode
""")
_CAPTION = """
    SELECT track_id, title, captioner, caption, contradictions, tempo_bpm, meter, key,
        voiced_fraction, reasons, licence_weights, random
    FROM mirpipe.v_caption WHERE wanted
"""
_CAPTION_OF = text(f"{_CAPTION} AND track_id = :track_id")
_CAPTIONS = text(f"{_CAPTION} ORDER BY title, track_id")
# A row a target and mode: as many of them as there are metrics would take twice as long.
_TARGET_SCORES = text(f"""
    SELECT t.track_id AS target_id, t.title AS target, s.generator, s.mode, s.guidance, s.metrics
    FROM (
        SELECT target_id, generator, mode, guidance,
            json_object_agg(metric, json_build_array(value, clips) ORDER BY metric) AS metrics
        FROM (
            SELECT target_id, generator, mode, guidance, metric, avg(value) AS value,
                count(*) AS clips
            FROM mirpipe.v_generation_score
            GROUP BY target_id, generator, mode, guidance, metric) m
        GROUP BY target_id, generator, mode, guidance) s
    JOIN mirpipe.track t ON t.track_id = s.target_id
    JOIN ({_ORDER}) o ON o.generator = s.generator AND o.mode = s.mode
        AND o.guidance IS NOT DISTINCT FROM s.guidance
    ORDER BY t.title, t.track_id, o.place
""")
_GENERATIONS = text(f"""
    SELECT g.generator, g.mode, g.guidance, g.seed, g.prompt, g.seconds, g.target_id, g.track_id,
        g.licence_weights, g.random
    FROM mirpipe.v_generation g
    JOIN ({_ORDER}) o ON o.generator = g.generator AND o.mode = g.mode
        AND o.guidance IS NOT DISTINCT FROM g.guidance
    WHERE g.target_id = :track_id AND g.wanted
    ORDER BY o.place, g.seed
""")
_SCORES = text("""
    SELECT DISTINCT track_id, metric, value, reason FROM mirpipe.v_generation_score
    WHERE target_id = :track_id ORDER BY track_id, metric
""")


def generation_summary() -> list[GenerationSummary]:
    """The latest run's numbers by generator and mode, text alone first."""
    return rows(GenerationSummary, _SUMMARY)


def generation_deltas() -> list[Delta]:
    """Every mode compared with those that hold a model less strongly, by metric."""
    return rows(Delta, _DELTAS)


def captions(track_id: int | None = None) -> list[Caption]:
    """What the wanted captioner says of a target, at most one; without one, of all, by title."""
    if track_id is None:
        return rows(Caption, _CAPTIONS)
    return rows(Caption, _CAPTION_OF, track_id=track_id)


def generations(track_id: int) -> list[Generation]:
    """The clips made of a target by wanted generators, mode by mode."""
    return rows(Generation, _GENERATIONS, track_id=track_id)


def generation_scores(track_id: int) -> list[GenerationScore]:
    """The numbers of the clips made of a target."""
    return rows(GenerationScore, _SCORES, track_id=track_id)


def target_scores() -> list[TargetScore]:
    """The numbers of all clips by target, mode and metric."""
    return [
        TargetScore(
            *(row.target_id, row.target, row.generator, row.mode, row.guidance),
            *(metric, value, clips),
        )
        for row in rows(_TargetRow, _TARGET_SCORES)
        for metric, (value, clips) in row.metrics.items()
    ]


@dataclass(frozen=True)
class _TargetRow:
    target_id: int
    target: str
    generator: str
    mode: str
    guidance: float | None
    metrics: dict[str, tuple[float | None, int]]
