-- Tracks of one collection never have the same content. The targets and clips are therefore looked
-- up among the other collections by the index on (collection, content_sha256); the references, which
-- may be many more, are not read.
CREATE OR REPLACE VIEW v_same_recording AS
SELECT f.track_id, f.other_id, 'same_recording' AS relation, f.agreement, f.overlap_seconds, f.offset_seconds
FROM (
    SELECT s.track_id, s.other_id, s.agreement, s.overlap_seconds, s.offset_seconds
    FROM same_recording s
    UNION ALL
    SELECT s.other_id, s.track_id, s.agreement, s.overlap_seconds, 0 - s.offset_seconds
    FROM same_recording s) f
JOIN track a ON a.track_id = f.track_id AND a.state = 'ok'
JOIN track b ON b.track_id = f.other_id AND b.state = 'ok' AND b.content_sha256 <> a.content_sha256
UNION ALL
SELECT a.track_id, b.track_id, 'same_file', 1.0, a.seconds, 0.0
FROM track a
JOIN track b ON b.content_sha256 = a.content_sha256 AND b.track_id <> a.track_id
    AND b.collection IN ('reference', 'target')
WHERE a.collection IN ('target', 'generated') AND a.state = 'ok' AND b.state = 'ok'
UNION ALL
SELECT b.track_id, a.track_id, 'same_file', 1.0, b.seconds, 0.0
FROM track a
JOIN track b ON b.content_sha256 = a.content_sha256 AND b.track_id <> a.track_id
    AND b.collection IN ('reference', 'target')
WHERE a.collection IN ('target', 'generated') AND a.state = 'ok' AND b.state = 'ok';

COMMENT ON VIEW v_same_recording IS 'Pairs of usable tracks that contain the same recording. Each pair is listed in both directions.';
COMMENT ON COLUMN v_same_recording.other_id IS 'The other track of the pair; key in the table track.';
COMMENT ON COLUMN v_same_recording.relation IS 'same_file: two collections contain the same audio. same_recording: the fingerprints agree in a common passage.';
COMMENT ON COLUMN v_same_recording.agreement IS 'Share of equal bits in the common passage of the two fingerprints, 0 to 1. About 0.5 is expected for unrelated music, and up to 0.9 for unrelated drum loops.';
COMMENT ON COLUMN v_same_recording.overlap_seconds IS 'Length of the common passage, in seconds. If several passages are common, such as before and after an edit, the longest one.';
COMMENT ON COLUMN v_same_recording.offset_seconds IS 'Start of the common passage in the other track minus its start in the track, in seconds.';
