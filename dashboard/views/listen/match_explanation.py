"""Sentences that explain a match: its similarity for each encoder, melody and CLAP."""

from collections.abc import Mapping

from dashboard.components.merged_ranks import EncoderRank
from dashboard.components.metric_labels import reason_text
from dashboard.components.number_format import format_number
from dashboard.components.plugin_labels import RANDOM_WEIGHTS
from mirpipe.db import queries


def explanation(match: queries.Match, ranks: Mapping[str, EncoderRank]) -> list[str]:
    """Return the sentences for one match, from its ranks by encoder and the scores of the pair.

    There is no sentence for a missing number.
    """
    sentences = [
        sentence for encoder, rank in ranks.items() for sentence in _rank_sentences(encoder, rank)
    ]
    return sentences + _melody_sentences(match) + _clap_sentences(match)


def _rank_sentences(encoder: str, rank: EncoderRank) -> list[str]:
    sentences = []
    if rank.z is not None:
        side = "above" if rank.z >= 0 else "below"
        sentences.append(
            f"{encoder}: its cosine is {format_number(abs(rank.z), 2)} standard deviations {side} "
            "the mean of this target's cosines to the whole library."
        )
    if rank.percentile is not None:
        percentile = format_number(rank.percentile, 1)
        sentences.append(
            f"{encoder}: {percentile}% of the library's reference pairs have no higher cosine."
        )
    return sentences


def melody_remark(match: queries.Match) -> str:
    """Return why the melody accuracy is missing or has no meaning, or an empty text."""
    if match.melody_accuracy is None:
        return f"No melody accuracy: {reason_text(match.melody_reason or 'not_measured_yet')}."
    unpitched = [
        name
        for name, voiced in (("target", match.target_voiced), ("match", match.reference_voiced))
        if voiced is False
    ]
    if not unpitched:
        return ""
    verb = "is" if len(unpitched) == 1 else "are"
    return f"Melody accuracy has no meaning: {' and '.join(unpitched)} {verb} unpitched."


def _melody_sentences(match: queries.Match) -> list[str]:
    if match.melodic is False:
        return []
    sentences = []
    if match.aligned_melody is not None:
        share = format_number(100 * match.aligned_melody, 0)
        sentences.append(
            f"{share}% of the notes of the shorter track also occur in the other track, in some "
            "key and at some tempo. For unrelated tracks, this share can reach 30%."
        )
    for name, value, bound in (
        ("Melody accuracy", match.melody_accuracy, match.melody_null95),
        ("Melody accuracy in the best transposition", match.melody_oti, match.melody_oti_null95),
    ):
        if value is not None and bound is not None:
            relation = "above chance" if value > bound else "not above chance"
            sentences.append(
                f"{name}: {format_number(value, 3)}, {relation}. For 95% of the time shifts of "
                f"this pair it is at most {format_number(bound, 3)}."
            )
    if match.melody_shifted is not None and match.melody_offset:
        side = "later" if match.melody_offset > 0 else "earlier"
        milliseconds = format_number(1000 * abs(match.melody_offset), 0)
        sentences.append(
            f"Melody accuracy is {format_number(match.melody_shifted, 3)} if the match is compared "
            f"{milliseconds} ms {side}, which is the best offset within 150 ms."
        )
    return sentences


def _clap_sentences(match: queries.Match) -> list[str]:
    if match.clap_similarity is None:
        return []
    mark = f" ({RANDOM_WEIGHTS})" if match.clap_similarity_random else ""
    return [f"CLAP similarity: {format_number(match.clap_similarity, 3)}{mark}."]
