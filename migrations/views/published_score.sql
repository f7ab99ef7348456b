CREATE OR REPLACE VIEW published_score AS
SELECT 'retrieval' AS task, p.line, p.encoder AS subject, NULL::double precision AS guidance, p.target, m.metric, m.value
FROM published_retrieval p
CROSS JOIN LATERAL (VALUES
    ('cosine', p.cosine), ('clap_similarity', p.clap), ('melody_accuracy', p.melody),
    ('aesthetics_ce', p.ce), ('aesthetics_cu', p.cu), ('aesthetics_pc', p.pc), ('aesthetics_pq', p.pq)
) m (metric, value)
UNION ALL
SELECT 'generation', p.line, p.mode, p.cfg, p.target, m.metric, m.value
FROM published_generation p
CROSS JOIN LATERAL (VALUES
    ('clap_similarity', p.clap), ('melody_accuracy', p.melody),
    ('aesthetics_ce', p.ce), ('aesthetics_cu', p.cu), ('aesthetics_pc', p.pc), ('aesthetics_pq', p.pq)
) m (metric, value);

COMMENT ON VIEW published_score IS 'Every number published for a track, with one row per line and metric. The metrics have the same names as mirpipe''s own metrics.';
COMMENT ON COLUMN published_score.line IS 'Line in retrieval.csv or generation.csv. The header is line 1.';
COMMENT ON COLUMN published_score.value IS 'Value as printed, in the metric''s unit.';
