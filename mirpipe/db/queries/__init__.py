"""Queries whose results are shown to users: in the dashboard, `mirpipe status` and printed results.

All queries run with the read-only role. Times have a time zone, lengths are in seconds, and labels
are dicts of strings. A number that could not be computed is None. The package exports the queries
about runs and the library. Import the vector search, user SQL and the published results from their
own modules.
"""

from mirpipe.db.queries.aesthetics import Aesthetics, aesthetics
from mirpipe.db.queries.answers import (
    BestReference,
    generation_answer,
    hubs_answer,
    library_answer,
    primary_metric_of_run,
    retrieval_answer,
    run_answer,
    similarity_answer,
)
from mirpipe.db.queries.best_match_scores import BestMatchScores, best_match_scores
from mirpipe.db.queries.captions import Caption, CaptionCounts, caption_counts, captions
from mirpipe.db.queries.change_mark import change_mark
from mirpipe.db.queries.clip_origins import ClipOrigin, clip_origins
from mirpipe.db.queries.clip_scores import ClipScore, TargetScore, clip_scores, target_scores
from mirpipe.db.queries.cosine_distributions import HistogramBin, cosine_distributions
from mirpipe.db.queries.csls_check import CslsCheck, csls_checks
from mirpipe.db.queries.duplicates import (
    DuplicateGroup,
    FingerprintState,
    RelatedPair,
    duplicate_groups,
    fingerprint_state,
)
from mirpipe.db.queries.embedding_maps import EmbeddingMap, MapPoint, map_points, maps
from mirpipe.db.queries.encoder_agreement import EncoderAgreement, encoder_agreements
from mirpipe.db.queries.encoder_comparison import EncoderComparison, encoder_comparisons
from mirpipe.db.queries.encoder_revisions import (
    ActiveEncoder,
    EmbeddedTracks,
    EncoderRevision,
    active_encoders,
    embedded_tracks,
    encoder_revisions,
)
from mirpipe.db.queries.failure_ledger import (
    Failure,
    FailureCount,
    failure_counts,
    failures,
    failures_n,
)
from mirpipe.db.queries.file_locations import (
    FileLocation,
    file_locations,
    locations_of_content,
)
from mirpipe.db.queries.findings import (
    AudioFinding,
    FindingCount,
    finding_counts,
    finding_name,
    findings,
    findings_n,
    findings_of_track,
)
from mirpipe.db.queries.fused_and_csls_rankings import (
    FusedMatch,
    RerankedMatch,
    fused_matches,
    reranked_matches,
)
from mirpipe.db.queries.generated_clips import GeneratedClip, clips_of_target
from mirpipe.db.queries.generation_summaries import GenerationSummary, generation_summaries
from mirpipe.db.queries.group_summaries import (
    GroupSummary,
    generation_group_summaries,
    retrieval_group_summaries,
)
from mirpipe.db.queries.hubness import Hub, Hubness, hubness, hubs
from mirpipe.db.queries.label_rankings import (
    LabelRanking,
    filtered_label_rankings,
    label_rankings,
)
from mirpipe.db.queries.library_counts import LibraryCount, library_counts, missing_audio
from mirpipe.db.queries.matched_targets import MatchedTarget, matched_targets
from mirpipe.db.queries.matches import Match, best_matches, matches
from mirpipe.db.queries.metric_choice import choice_sentences
from mirpipe.db.queries.mode_comparison import ModeComparison, mode_comparisons
from mirpipe.db.queries.page_answers import clips_answer, quality_answer
from mirpipe.db.queries.pending_work import PendingWork, pending_work
from mirpipe.db.queries.ranking_measurement import ranking_measurement_sentences
from mirpipe.db.queries.rating_distributions import RatingDistributions, rating_distributions
from mirpipe.db.queries.recordings_of_track import SameRecording, recordings_of_track
from mirpipe.db.queries.retrieval_summaries import RetrievalSummary, retrieval_summaries
from mirpipe.db.queries.run_comparison import (
    BestMatchDifference,
    DifferenceCounts,
    best_match_difference_counts,
    best_match_differences,
)
from mirpipe.db.queries.run_history import (
    PastRun,
    PastSummary,
    past_generation_summaries,
    past_retrieval_summaries,
    past_runs,
)
from mirpipe.db.queries.runs import BestMatchChange, Run, best_match_changes, last_runs, latest_run
from mirpipe.db.queries.same_recordings import SameRecordings, same_recordings
from mirpipe.db.queries.set_distances import SetDistance, set_distances
from mirpipe.db.queries.similar_references import SimilarReferences, similar_references
from mirpipe.db.queries.similarity_by_rank import RankSimilarity, similarity_by_rank
from mirpipe.db.queries.targets import Target, targets
from mirpipe.db.queries.track_addresses import TrackAddress, track_addresses
from mirpipe.db.queries.track_details import TrackDescription, tracks_by_hash
from mirpipe.db.queries.track_distributions import TrackGroup, track_distributions
from mirpipe.db.queries.track_files import TrackFile, track_files
from mirpipe.db.queries.track_history import TrackEvent, track_history
from mirpipe.db.queries.track_list import (
    ListedTrack,
    TrackFilter,
    found_track_ids,
    listed_tracks,
    listed_tracks_n,
)
from mirpipe.db.queries.unavailable_plugins import UnavailablePlugin, unavailable_plugins
from mirpipe.db.queries.waiting_revisions import (
    Challenger,
    challengers,
    margins_text,
    progress_text,
    verdict_text,
)
from mirpipe.db.queries.waveform_and_chroma import Picture, pictures

__all__ = [
    "ActiveEncoder",
    "Aesthetics",
    "AudioFinding",
    "BestMatchChange",
    "BestMatchDifference",
    "BestMatchScores",
    "BestReference",
    "Caption",
    "CaptionCounts",
    "Challenger",
    "ClipOrigin",
    "ClipScore",
    "CslsCheck",
    "DifferenceCounts",
    "DuplicateGroup",
    "EmbeddedTracks",
    "EmbeddingMap",
    "EncoderAgreement",
    "EncoderComparison",
    "EncoderRevision",
    "Failure",
    "FailureCount",
    "FileLocation",
    "FindingCount",
    "FingerprintState",
    "FusedMatch",
    "GeneratedClip",
    "GenerationSummary",
    "GroupSummary",
    "HistogramBin",
    "Hub",
    "Hubness",
    "LabelRanking",
    "LibraryCount",
    "ListedTrack",
    "MapPoint",
    "Match",
    "MatchedTarget",
    "ModeComparison",
    "PastRun",
    "PastSummary",
    "PendingWork",
    "Picture",
    "RankSimilarity",
    "RatingDistributions",
    "RelatedPair",
    "RerankedMatch",
    "RetrievalSummary",
    "Run",
    "SameRecording",
    "SameRecordings",
    "SetDistance",
    "SimilarReferences",
    "Target",
    "TargetScore",
    "TrackAddress",
    "TrackDescription",
    "TrackEvent",
    "TrackFile",
    "TrackFilter",
    "TrackGroup",
    "UnavailablePlugin",
    "active_encoders",
    "aesthetics",
    "best_match_changes",
    "best_match_difference_counts",
    "best_match_differences",
    "best_match_scores",
    "best_matches",
    "caption_counts",
    "captions",
    "challengers",
    "change_mark",
    "choice_sentences",
    "clip_origins",
    "clip_scores",
    "clips_answer",
    "clips_of_target",
    "cosine_distributions",
    "csls_checks",
    "duplicate_groups",
    "embedded_tracks",
    "encoder_agreements",
    "encoder_comparisons",
    "encoder_revisions",
    "failure_counts",
    "failures",
    "failures_n",
    "file_locations",
    "filtered_label_rankings",
    "finding_counts",
    "finding_name",
    "findings",
    "findings_n",
    "findings_of_track",
    "fingerprint_state",
    "found_track_ids",
    "fused_matches",
    "generation_answer",
    "generation_group_summaries",
    "generation_summaries",
    "hubness",
    "hubs",
    "hubs_answer",
    "label_rankings",
    "last_runs",
    "latest_run",
    "library_answer",
    "library_counts",
    "listed_tracks",
    "listed_tracks_n",
    "locations_of_content",
    "map_points",
    "maps",
    "margins_text",
    "matched_targets",
    "matches",
    "missing_audio",
    "mode_comparisons",
    "past_generation_summaries",
    "past_retrieval_summaries",
    "past_runs",
    "pending_work",
    "pictures",
    "primary_metric_of_run",
    "progress_text",
    "quality_answer",
    "ranking_measurement_sentences",
    "rating_distributions",
    "recordings_of_track",
    "reranked_matches",
    "retrieval_answer",
    "retrieval_group_summaries",
    "retrieval_summaries",
    "run_answer",
    "same_recordings",
    "set_distances",
    "similar_references",
    "similarity_answer",
    "similarity_by_rank",
    "target_scores",
    "targets",
    "track_addresses",
    "track_distributions",
    "track_files",
    "track_history",
    "tracks_by_hash",
    "unavailable_plugins",
    "verdict_text",
]
