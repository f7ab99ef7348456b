CREATE OR REPLACE VIEW v_finding AS
SELECT f.kind, f.severity, t.title, t.collection, f.seconds, f.detail,
    (SELECT min(p.path_text) FROM track_file p
     WHERE p.track_id = t.track_id AND p.gone_at IS NULL) AS path,
    f.track_id, f.number
FROM finding f
JOIN track t USING (track_id)
WHERE t.state = 'ok';

COMMENT ON VIEW v_finding IS 'Findings about the audio of usable tracks, such as damage, silence or an inverted channel.';
COMMENT ON COLUMN v_finding.path IS 'Path of the file or, if there are several files, the first path in alphabetical order.';
