SET LOCAL search_path = mirpipe, public;

DROP TRIGGER embedding_unsettled ON embedding;
DROP TRIGGER melody_unsettled ON melody;
DROP TRIGGER track_feature_unsettled ON track_feature;
DROP TRIGGER track_score_unsettled ON track_score;
DROP TRIGGER failure_unsettled ON failure;
DROP TRIGGER failure_updated_unsettled ON failure;
DROP TRIGGER track_unsettled ON track;
DROP TRIGGER track_usable_unsettled ON track;
DROP TRIGGER encoder_added_unsettled ON encoder;
DROP TRIGGER encoder_wanted_unsettled ON encoder;
DROP TRIGGER metric_added_unsettled ON metric;
DROP TRIGGER metric_wanted_unsettled ON metric;
DROP FUNCTION note_unsettled_tracks, note_usable_tracks, note_all_tracks;
DROP TABLE unsettled_track;
