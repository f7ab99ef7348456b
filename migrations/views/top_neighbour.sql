-- The cosine alone decides which tracks are looked up for their content hash, which breaks ties.
CREATE OR REPLACE VIEW top_neighbour AS
SELECT encoder_id, target_id, rank, reference_id, cosine
FROM (
    SELECT n.encoder_id, n.target_id, n.reference_id, n.cosine,
        row_number() OVER (
            PARTITION BY n.encoder_id, n.target_id ORDER BY n.cosine DESC, r.content_sha256
        )::smallint AS rank
    FROM (
        SELECT encoder_id, target_id, reference_id, cosine,
            rank() OVER (PARTITION BY encoder_id, target_id ORDER BY cosine DESC) AS place
        FROM neighbour) n
    JOIN track r ON r.track_id = n.reference_id
    WHERE n.place <= 10
) ranked
WHERE rank <= 10;

COMMENT ON VIEW top_neighbour IS 'The 10 best matches per target and encoder in the neighbour lists. v_retrieval shows the published matches.';
