CREATE OR REPLACE VIEW v_retrieval AS
SELECT e.name AS encoder, s.rank, t.title AS target, r.title AS reference, s.cosine,
    (s.cosine - b.background_mean) / nullif(b.background_sd, 0) AS z,
    100.0::double precision * width_bucket(s.cosine, g.background_cosines)
        / nullif(cardinality(g.background_cosines), 0) AS percentile,
    p.value AS melody_accuracy, CASE WHEN p.value IS NULL THEN coalesce(p.reason, 'not_measured') END AS melody_reason,
    tm.voiced AND rm.voiced AS melodic, tm.voiced AS target_voiced, rm.voiced AS reference_voiced,
    t.labels AS target_labels, r.labels AS reference_labels,
    t.track_id AS target_id, r.track_id AS reference_id,
    e.revision, e.spec ->> 'licence_weights' AS licence_weights, s.from_run,
    e.is_random AS random,
    pc.value AS melody_corrected, pn.value AS melody_null95, p.value > pn.value AS melody_beats_chance,
    CASE WHEN pc.value IS NULL THEN coalesce(pc.reason, 'not_measured') END AS melody_chance_reason,
    po.value AS melody_oti, poc.value AS melody_oti_corrected, pon.value AS melody_oti_null95,
    po.value > pon.value AS melody_oti_beats_chance,
    CASE WHEN poc.value IS NULL THEN coalesce(poc.reason, 'not_measured') END AS melody_oti_reason,
    pa.value AS aligned_melody,
    CASE WHEN pa.value IS NULL THEN coalesce(pa.reason, 'not_measured') END AS aligned_reason,
    pv.value AS clap_similarity,
    CASE WHEN pv.value IS NULL THEN coalesce(pv.reason, 'not_measured') END AS clap_reason,
    cm.is_random AS clap_similarity_random,
    cm.spec ->> 'licence_weights' AS clap_licence_weights, cm.spec ->> 'checkpoint' AS clap_checkpoint,
    s.relation, s.counted_rank,
    ps.value AS melody_shifted, pt.value AS melody_offset,
    CASE WHEN ps.value IS NULL THEN coalesce(ps.reason, 'not_measured') END AS melody_shifted_reason
FROM served_neighbour s
JOIN encoder e ON e.encoder_id = s.encoder_id
JOIN track t ON t.track_id = s.target_id
JOIN track r ON r.track_id = s.reference_id
CROSS JOIN (SELECT max(run_id) AS run_id FROM run) latest
CROSS JOIN (
    SELECT max(metric_id) FILTER (WHERE name = 'melody_accuracy') AS accuracy,
        max(metric_id) FILTER (WHERE name = 'melody_accuracy_corrected') AS corrected,
        max(metric_id) FILTER (WHERE name = 'melody_accuracy_null95') AS null95,
        max(metric_id) FILTER (WHERE name = 'melody_oti') AS oti,
        max(metric_id) FILTER (WHERE name = 'melody_oti_corrected') AS oti_corrected,
        max(metric_id) FILTER (WHERE name = 'melody_oti_null95') AS oti_null95,
        max(metric_id) FILTER (WHERE name = 'melody_accuracy_shifted') AS shifted,
        max(metric_id) FILTER (WHERE name = 'melody_offset') AS time_offset,
        max(metric_id) FILTER (WHERE name = 'aligned_melody') AS aligned,
        max(metric_id) FILTER (WHERE name = 'clap_similarity') AS clap
    FROM shown_metric) k
LEFT JOIN run_target b
    ON b.run_id = latest.run_id AND b.encoder_id = s.encoder_id AND b.target_id = s.target_id
LEFT JOIN run_encoder g ON g.run_id = latest.run_id AND g.encoder_id = s.encoder_id
LEFT JOIN pair_score p
    ON p.metric_id = k.accuracy AND p.target_id = s.target_id AND p.reference_id = s.reference_id
LEFT JOIN pair_score pc
    ON pc.metric_id = k.corrected AND pc.target_id = s.target_id AND pc.reference_id = s.reference_id
LEFT JOIN pair_score pn
    ON pn.metric_id = k.null95 AND pn.target_id = s.target_id AND pn.reference_id = s.reference_id
LEFT JOIN pair_score po
    ON po.metric_id = k.oti AND po.target_id = s.target_id AND po.reference_id = s.reference_id
LEFT JOIN pair_score poc
    ON poc.metric_id = k.oti_corrected AND poc.target_id = s.target_id AND poc.reference_id = s.reference_id
LEFT JOIN pair_score pon
    ON pon.metric_id = k.oti_null95 AND pon.target_id = s.target_id AND pon.reference_id = s.reference_id
LEFT JOIN pair_score ps
    ON ps.metric_id = k.shifted AND ps.target_id = s.target_id AND ps.reference_id = s.reference_id
LEFT JOIN pair_score pt
    ON pt.metric_id = k.time_offset AND pt.target_id = s.target_id AND pt.reference_id = s.reference_id
LEFT JOIN pair_score pa
    ON pa.metric_id = k.aligned AND pa.target_id = s.target_id AND pa.reference_id = s.reference_id
LEFT JOIN pair_score pv
    ON pv.metric_id = k.clap AND pv.target_id = s.target_id AND pv.reference_id = s.reference_id
LEFT JOIN metric cm ON cm.metric_id = k.clap
LEFT JOIN shown_metric mm ON mm.name = 'melody'
LEFT JOIN melody tm ON tm.metric_id = mm.metric_id AND tm.track_id = s.target_id
LEFT JOIN melody rm ON rm.metric_id = mm.metric_id AND rm.track_id = s.reference_id
WHERE s.to_run IS NULL;

COMMENT ON VIEW v_retrieval IS 'The matches of the latest run: the most similar references per target and encoder, up to 10. Use counted_rank for averages, because rank includes the same recordings.';
COMMENT ON COLUMN v_retrieval.z IS 'Number of standard deviations by which the cosine exceeds the mean of the target''s cosines to all references. NULL if all cosines are equal.';
COMMENT ON COLUMN v_retrieval.percentile IS 'Percentage of reference pairs whose cosine is less than or equal to that of the match. NULL if there is only one reference.';
COMMENT ON COLUMN v_retrieval.melody_accuracy IS 'Share of frames with the same pitch class in both tracks, 0 to 1. About 0.085 is expected by chance.';
COMMENT ON COLUMN v_retrieval.melody_reason IS 'Code of the reason why melody_accuracy is missing. NULL if there is a value.';
COMMENT ON COLUMN v_retrieval.melodic IS 'true if both tracks are pitched. If either track is unpitched, the melody values of the pair are meaningless.';
COMMENT ON COLUMN v_retrieval.target_voiced IS 'true if the target is pitched; false if it is unpitched, such as a drum loop.';
COMMENT ON COLUMN v_retrieval.reference_voiced IS 'true if the reference is pitched; false if it is unpitched, such as a drum loop.';
COMMENT ON COLUMN v_retrieval.from_run IS 'First run in which the reference had this rank and cosine; key in the table run.';
COMMENT ON COLUMN v_retrieval.melody_corrected IS 'melody_accuracy corrected for chance: (accuracy - mean) / (1 - mean), where mean is the mean accuracy over this pair''s circular time shifts of at least 2 s. 0 means chance level, 1 means identical melodies. NULL if either track is unpitched.';
COMMENT ON COLUMN v_retrieval.melody_null95 IS 'Value of melody_accuracy, 0 to 1, that is not exceeded in 95% of this pair''s time shifts.';
COMMENT ON COLUMN v_retrieval.melody_beats_chance IS 'true if melody_accuracy is above melody_null95, which happens by chance for one match in 20.';
COMMENT ON COLUMN v_retrieval.melody_chance_reason IS 'Code of the reason why melody_corrected is missing. NULL if there is a value.';
COMMENT ON COLUMN v_retrieval.melody_oti IS 'Melody accuracy after the best of 12 transpositions, 0 to 1. The value for unrelated music is about 0.12.';
COMMENT ON COLUMN v_retrieval.melody_oti_corrected IS 'melody_oti corrected for chance. 0 means chance level, 1 means identical melodies. The best transposition is chosen again for each time shift.';
COMMENT ON COLUMN v_retrieval.melody_oti_null95 IS 'Value of melody_oti, 0 to 1, that is not exceeded in 95% of this pair''s time shifts.';
COMMENT ON COLUMN v_retrieval.melody_oti_beats_chance IS 'true if melody_oti is above melody_oti_null95.';
COMMENT ON COLUMN v_retrieval.melody_oti_reason IS 'Code of the reason why melody_oti_corrected is missing. NULL if there is a value.';
COMMENT ON COLUMN v_retrieval.melody_shifted IS 'Melody accuracy at melody_offset, 0 to 1. It is never lower than melody_accuracy without silent parts. NULL if either track is unpitched.';
COMMENT ON COLUMN v_retrieval.melody_offset IS 'Seconds by which the reference is late where the two melodies agree best, within -0.15 and 0.15, in steps of 0.0058. Encoders of lossy files add such offsets.';
COMMENT ON COLUMN v_retrieval.melody_shifted_reason IS 'Code of the reason why melody_shifted and melody_offset are missing. NULL if there are values.';
COMMENT ON COLUMN v_retrieval.aligned_melody IS 'Share of the shorter track''s notes that also occur in the other track, in any key and tempo, 0 to 1. For unrelated music, the value is at most about 0.3.';
COMMENT ON COLUMN v_retrieval.aligned_reason IS 'Code of the reason why aligned_melody is missing. NULL if there is a value.';
COMMENT ON COLUMN v_retrieval.clap_similarity IS 'Cosine similarity between the two tracks'' CLAP vectors, -1 to 1. The value does not depend on the encoder that found the match.';
COMMENT ON COLUMN v_retrieval.clap_reason IS 'Code of the reason why clap_similarity is missing. NULL if there is a value.';
COMMENT ON COLUMN v_retrieval.clap_similarity_random IS 'true if clap_similarity was computed with random weights. The value is then not meaningful for music. NULL if CLAP is not configured.';
COMMENT ON COLUMN v_retrieval.clap_licence_weights IS 'Licence of the weights used to compute clap_similarity.';
COMMENT ON COLUMN v_retrieval.clap_checkpoint IS 'Name of the weights used to compute clap_similarity. Values from different checkpoints are not comparable.';
