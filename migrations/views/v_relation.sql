-- A query for some relations computes only these: a condition on the constant names of the parts
-- of `relation` leaves out the others.
CREATE OR REPLACE VIEW v_relation AS
WITH tune AS (
    SELECT target_id, reference_id, aligned_melody FROM same_tune
), version AS (
    SELECT target_id, reference_id FROM tune
    UNION
    SELECT s.track_id, s.other_id FROM v_same_recording s
    JOIN track t ON t.track_id = s.track_id AND t.collection = 'target'
    JOIN track r ON r.track_id = s.other_id AND r.collection = 'reference'
), same_tune_pair AS (
    SELECT target_id AS track_id, reference_id AS other_id, NULL::bigint AS via_target_id FROM tune
    UNION ALL
    SELECT reference_id, target_id, NULL FROM tune
    UNION ALL
    SELECT a.reference_id, b.reference_id, min(a.target_id)
    FROM version a JOIN version b USING (target_id)
    WHERE a.reference_id <> b.reference_id
    GROUP BY a.reference_id, b.reference_id
), relation AS (
    SELECT s.track_id, s.other_id, s.relation, s.agreement, s.overlap_seconds, s.offset_seconds,
        NULL::bigint AS via_target_id
    FROM v_same_recording s
    UNION ALL
    SELECT p.track_id, p.other_id, 'same_tune', NULL, NULL, NULL, p.via_target_id
    FROM same_tune_pair p
    WHERE NOT EXISTS (
        SELECT FROM v_same_recording s WHERE s.track_id = p.track_id AND s.other_id = p.other_id)
)
SELECT r.relation, a.collection, a.title AS track, b.collection AS other_collection,
    b.title AS other, r.agreement, r.overlap_seconds, r.offset_seconds,
    m.value AS aligned_melody, n.encoder, n.rank, n.cosine, n.licence_weights, n.random,
    r.via_target_id, r.track_id, r.other_id
FROM relation r
JOIN track a ON a.track_id = r.track_id
JOIN track b ON b.track_id = r.other_id
LEFT JOIN shown_metric k ON k.name = 'aligned_melody'
LEFT JOIN pair_score m ON m.metric_id = k.metric_id AND m.excerpt_id IS NULL
    AND m.target_id = CASE WHEN a.collection = 'target' THEN a.track_id ELSE b.track_id END
    AND m.reference_id = CASE WHEN a.collection = 'target' THEN b.track_id ELSE a.track_id END
LEFT JOIN LATERAL (
    SELECT e.name AS encoder, s.rank, s.cosine, e.spec ->> 'licence_weights' AS licence_weights,
        e.is_random AS random
    FROM served_neighbour s JOIN encoder e USING (encoder_id)
    WHERE s.to_run IS NULL
      AND s.target_id = CASE WHEN a.collection = 'target' THEN a.track_id ELSE b.track_id END
      AND s.reference_id = CASE WHEN a.collection = 'target' THEN b.track_id ELSE a.track_id END
    ORDER BY s.rank, e.name LIMIT 1) n ON true;

COMMENT ON VIEW v_relation IS 'Pairs of usable tracks that contain the same audio, the same recording or the same tune, with the evidence. Each pair is listed in both directions.';
COMMENT ON COLUMN v_relation.relation IS 'same_file: two collections contain the same audio. same_recording: the fingerprints agree in a common passage. same_tune: the aligned melody of a target and a reference is at least 0.55, or two references are versions of the same target.';
COMMENT ON COLUMN v_relation.collection IS 'Collection of the track.';
COMMENT ON COLUMN v_relation.other IS 'Title of the other track. Titles are not unique; join on other_id.';
COMMENT ON COLUMN v_relation.other_collection IS 'Collection of the other track.';
COMMENT ON COLUMN v_relation.agreement IS 'Share of equal bits in the common passage of the two fingerprints, 0 to 1. NULL for same_tune.';
COMMENT ON COLUMN v_relation.overlap_seconds IS 'Length of the common passage, in seconds. NULL for same_tune.';
COMMENT ON COLUMN v_relation.offset_seconds IS 'Start of the common passage in the other track minus its start in the track, in seconds. NULL for same_tune.';
COMMENT ON COLUMN v_relation.aligned_melody IS 'Aligned melody similarity of the target and the reference, 0 to 1. Unrelated tracks reach 0.3, rarely 0.47. NULL if it was not computed or is undefined.';
COMMENT ON COLUMN v_relation.encoder IS 'Encoder that ranks the reference highest among the shown matches of the target. NULL if the reference is no shown match of the target.';
COMMENT ON COLUMN v_relation.rank IS 'Rank of the reference among the target''s matches by this encoder.';
COMMENT ON COLUMN v_relation.cosine IS 'Cosine similarity by this encoder.';
COMMENT ON COLUMN v_relation.random IS 'true if this encoder has random weights. NULL if no encoder found the pair.';
COMMENT ON COLUMN v_relation.via_target_id IS 'Target of which two references are versions; key in the table track. NULL if the pair was compared directly.';
COMMENT ON COLUMN v_relation.other_id IS 'The other track of the pair; key in the table track.';
