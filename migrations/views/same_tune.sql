-- The threshold is stated only here. Among the demo library's transcriptions, no unrelated pair has
-- an aligned melody of more than 0.47, and pairs of the same piece have a median of 0.72.
CREATE OR REPLACE VIEW same_tune AS
SELECT p.target_id, p.reference_id, p.value AS aligned_melody
FROM pair_score p
JOIN shown_metric m ON m.metric_id = p.metric_id AND m.name = 'aligned_melody'
JOIN track t ON t.track_id = p.target_id AND t.state = 'ok'
JOIN track r ON r.track_id = p.reference_id AND r.state = 'ok' AND r.collection = 'reference'
WHERE p.value >= 0.55 AND p.excerpt_id IS NULL;

COMMENT ON VIEW same_tune IS 'Targets and references that contain the same tune: their aligned melody is at least 0.55. v_relation shows them with their titles.';
COMMENT ON COLUMN same_tune.aligned_melody IS 'Aligned melody similarity, 0 to 1. Unrelated tracks reach 0.3, rarely 0.47.';
