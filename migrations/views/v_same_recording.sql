CREATE OR REPLACE VIEW v_same_recording AS
SELECT s.track_id, s.other_id, 'same_recording' AS relation, s.agreement, s.overlap_seconds, s.offset_seconds
FROM same_recording s
UNION ALL
SELECT s.other_id, s.track_id, 'same_recording', s.agreement, s.overlap_seconds, -s.offset_seconds
FROM same_recording s
UNION ALL
SELECT a.track_id, b.track_id, 'same_file', 1.0, NULL, 0.0
FROM track a JOIN track b ON b.content_sha256 = a.content_sha256 AND b.track_id <> a.track_id;

COMMENT ON VIEW v_same_recording IS 'Pairs of tracks that contain the same recording. Each pair is listed in both directions.';
COMMENT ON COLUMN v_same_recording.relation IS 'same_file: the audio is identical. same_recording: the fingerprints agree in a common passage.';
