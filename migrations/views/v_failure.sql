CREATE OR REPLACE VIEW v_failure AS
SELECT f.stage, f.subject, f.reason, f.message, f.retry, f.attempts, f.first_seen, f.last_seen,
    f.revision, t.title, t.collection, f.track_id
FROM failure f
LEFT JOIN track t ON t.track_id = f.track_id;

COMMENT ON VIEW v_failure IS 'The failure ledger: inputs and plug-ins that could not be used, with the reason and the remedy.';
COMMENT ON COLUMN v_failure.title IS 'Title of the track. NULL if the failure does not concern a track.';
