CREATE OR REPLACE VIEW best_match AS
SELECT e.name AS encoder, l.encoder_id, l.target_id, b.rank, b.reference_id,
    coalesce(b.rank - 1, l.n)::integer AS same_recording_n
FROM (
    SELECT encoder_id, target_id, count(*) AS n
    FROM served_neighbour WHERE to_run IS NULL GROUP BY encoder_id, target_id) l
JOIN encoder e ON e.encoder_id = l.encoder_id
LEFT JOIN served_neighbour b
    ON (b.encoder_id, b.target_id, b.counted_rank) = (l.encoder_id, l.target_id, 1) AND b.to_run IS NULL;

COMMENT ON VIEW best_match IS 'The latest run: the best match per target and encoder, as it counts in all averages. Matches with a better rank are the same recording as the target.';
COMMENT ON COLUMN best_match.rank IS 'Rank of the best match in the list that is shown. NULL if all shown matches are the same recording as the target.';
COMMENT ON COLUMN best_match.reference_id IS 'Best match; key in the table track. NULL if all shown matches are the same recording as the target.';
COMMENT ON COLUMN best_match.same_recording_n IS 'Number of matches with a better rank, which are left out because they are the same recording as the target.';
