CREATE OR REPLACE VIEW shown_metric AS
SELECT DISTINCT ON (m.name) m.metric_id, m.name, m.revision, m.spec, m.wanted, m.is_random
FROM metric m
LEFT JOIN serving_metric a ON a.metric_id = m.metric_id
ORDER BY m.name, a.metric_id IS NOT NULL DESC, EXISTS (
    SELECT FROM serving_revision s JOIN encoder e USING (encoder_id)
    WHERE e.name = m.spec ->> 'encoder' AND e.revision = m.spec ->> 'encoder_revision') DESC,
    m.wanted DESC, m.metric_id DESC;

COMMENT ON VIEW shown_metric IS 'Revision that readers see for each metric: the active revision if there is one, otherwise one that compares vectors from an active encoder, otherwise the configured or newest one. Results stay visible when a model is switched off, and while a new revision is being computed.';
