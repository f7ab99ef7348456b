CREATE OR REPLACE VIEW v_aesthetics AS
SELECT track_id, track AS title, collection,
    max(value) FILTER (WHERE metric = 'aesthetics_ce') AS ce,
    max(value) FILTER (WHERE metric = 'aesthetics_cu') AS cu,
    max(value) FILTER (WHERE metric = 'aesthetics_pc') AS pc,
    max(value) FILTER (WHERE metric = 'aesthetics_pq') AS pq,
    max(reason) AS reason,
    string_agg(DISTINCT licence_weights, '; ') AS licence_weights,
    bool_or(random) AS random
FROM v_track_score
WHERE metric IN ('aesthetics_ce', 'aesthetics_cu', 'aesthetics_pc', 'aesthetics_pq')
GROUP BY track_id, track, collection;

COMMENT ON VIEW v_aesthetics IS 'Audiobox Aesthetics: predicted listener ratings of each track, about 1 to 10 points. One row per track.';
COMMENT ON COLUMN v_aesthetics.ce IS 'Content enjoyment.';
COMMENT ON COLUMN v_aesthetics.cu IS 'Content usefulness.';
COMMENT ON COLUMN v_aesthetics.pc IS 'Production complexity.';
COMMENT ON COLUMN v_aesthetics.pq IS 'Production quality.';
COMMENT ON COLUMN v_aesthetics.reason IS 'Code of the reason why a rating is missing. NULL if no rating is missing.';
