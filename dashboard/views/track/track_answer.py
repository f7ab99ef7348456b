"""The answer of the page: what the track is a match of, matches, or was generated from."""

from dashboard.components import answer
from dashboard.components.merged_ranks import answer_sentence, merged_matches
from dashboard.components.track_link import track_links
from dashboard.data import cached_queries, current_state
from mirpipe.db import queries
from mirpipe.db.queries.page_answers import clip_origin_answer, matched_targets_answer


def draw(track: queries.TrackDescription) -> None:
    """Draw the answer, or nothing if no run has used the track."""
    run = cached_queries.latest_run()
    if track.collection == "generated":
        origins = current_state.read(queries.clip_origins, track.track_id)
        links = track_links(origin.target_id for origin in origins)
        answer.show(
            clip_origin_answer(origins),
            links=[(origin.target, links.get(origin.target_id)) for origin in origins],
        )
    elif run is None or track.state != "ok":
        return
    elif track.collection == "reference":
        rows = current_state.read(queries.matched_targets, track.track_id)
        answer.show(matched_targets_answer(rows))
    else:
        key = cached_queries.run_key(run)
        random = {row.encoder: row.random for row in cached_queries.active_encoders(key)}
        matches = cached_queries.matches(key, track.track_id, 1)
        tracks = merged_matches(matches, 1)
        encoders = {match.encoder: random.get(match.encoder, False) for match in matches}
        links = track_links(each.track_id for each in tracks)
        answer.show(
            answer_sentence(track.title, tracks, encoders),
            queries.clips_answer(current_state.read(queries.clips_of_target, track.track_id)),
            links=[(each.title, links.get(each.track_id)) for each in tracks],
        )
