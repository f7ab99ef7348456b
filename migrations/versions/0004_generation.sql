SET LOCAL search_path = mirpipe, public;

-- What is measured of a track to caption it and to condition a generation on it --------------------

CREATE TABLE track_feature (
    metric_id smallint NOT NULL REFERENCES metric,
    track_id bigint NOT NULL REFERENCES track,
    tempo_bpm double precision CHECK (tempo_bpm > 0),
    beat_seconds double precision[] NOT NULL,
    meter integer CHECK (meter > 0),
    key text,
    key_clarity double precision CHECK (key_clarity BETWEEN 0 AND 1),
    voiced_fraction double precision NOT NULL CHECK (voiced_fraction BETWEEN 0 AND 1),
    notes bytea NOT NULL,
    onsets_per_second double precision NOT NULL,
    brightness_hz double precision NOT NULL,
    reasons jsonb NOT NULL CHECK (jsonb_typeof(reasons) = 'object'),
    PRIMARY KEY (metric_id, track_id)
);
COMMENT ON TABLE track_feature IS 'Tempo, beats, meter, key and transcription of a track, measured once and reused';
COMMENT ON COLUMN track_feature.notes IS 'the transcription, packed; layout in mirpipe.music.features.rows';
COMMENT ON COLUMN track_feature.reasons IS 'by column, why what is NULL could not be measured';

-- Captions ------------------------------------------------------------------------------------

CREATE TABLE captioner (
    captioner_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    revision text NOT NULL,
    spec jsonb NOT NULL,
    wanted boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, revision)
);
CREATE UNIQUE INDEX captioner_one_wanted ON captioner (wanted) WHERE wanted;
COMMENT ON COLUMN captioner.wanted IS 'the one whose captions generations are made from';

CREATE TABLE caption (
    caption_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    captioner_id smallint NOT NULL REFERENCES captioner,
    track_id bigint NOT NULL REFERENCES track,
    features_id smallint NOT NULL REFERENCES metric,
    caption text NOT NULL CHECK (caption <> ''),
    window_start_seconds double precision NOT NULL CHECK (window_start_seconds >= 0),
    window_seconds double precision NOT NULL CHECK (window_seconds > 0),
    contradictions text[] NOT NULL,
    device text NOT NULL,
    versions jsonb NOT NULL,
    took_seconds double precision NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (captioner_id, track_id, features_id),
    FOREIGN KEY (features_id, track_id) REFERENCES track_feature (metric_id, track_id)
);
COMMENT ON TABLE caption IS 'What a captioner says of a window of a track; what was measured of it is in track_feature';
COMMENT ON COLUMN caption.contradictions IS 'where the caption says otherwise than was measured';

-- Generations -----------------------------------------------------------------------------------

CREATE TABLE generator (
    generator_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    revision text NOT NULL,
    spec jsonb NOT NULL,
    wanted boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, revision)
);
CREATE UNIQUE INDEX generator_one_wanted ON generator (name) WHERE wanted;

CREATE TABLE generation_wish (
    generator_id smallint NOT NULL REFERENCES generator,
    mode text NOT NULL,
    is_conditioned boolean NOT NULL,
    guidance double precision,
    seed bigint NOT NULL CHECK (seed >= 0),
    template text NOT NULL,
    longest_seconds double precision NOT NULL CHECK (longest_seconds > 0),
    UNIQUE NULLS NOT DISTINCT (generator_id, mode, guidance, seed)
);
COMMENT ON TABLE generation_wish IS 'What the configuration asks to be made of every target';

CREATE TABLE generation (
    generation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target_id bigint NOT NULL REFERENCES track,
    generator_id smallint NOT NULL REFERENCES generator,
    caption_id bigint NOT NULL REFERENCES caption,
    mode text NOT NULL,
    is_conditioned boolean NOT NULL,
    guidance double precision,
    seed bigint NOT NULL,
    seconds double precision NOT NULL CHECK (seconds > 0),
    template text NOT NULL,
    prompt text NOT NULL,
    prompt_parts jsonb NOT NULL,
    sampling jsonb NOT NULL,
    device text NOT NULL,
    versions jsonb NOT NULL,
    track_id bigint NOT NULL REFERENCES track,
    content_sha256 bytea NOT NULL CHECK (octet_length(content_sha256) = 32),
    took_seconds double precision NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT
        (target_id, generator_id, caption_id, mode, is_conditioned, guidance, seed, seconds, template, device, versions)
);
CREATE INDEX ON generation (track_id);
COMMENT ON TABLE generation IS 'What was made of a target, with everything that determines it; two rows may have made the same track';
COMMENT ON COLUMN generation.guidance IS 'classifier-free guidance scale; NULL where the generator has none';
COMMENT ON COLUMN generation.prompt IS 'text as the model got it; its parts in prompt_parts, put together by the template';
COMMENT ON COLUMN generation.track_id IS 'the clip, a track of the collection generated';

CREATE TABLE run_generation_summary (
    run_id bigint NOT NULL REFERENCES run,
    generator_id smallint NOT NULL REFERENCES generator,
    mode text NOT NULL,
    guidance double precision,
    metric text NOT NULL,
    n integer NOT NULL,
    undefined_n integer NOT NULL,
    mean double precision,
    sd double precision,
    UNIQUE NULLS NOT DISTINCT (run_id, generator_id, mode, guidance, metric),
    CHECK ((n = 0) = (mean IS NULL) AND (n = 0) = (sd IS NULL))
);
COMMENT ON TABLE run_generation_summary IS 'Over the clips of a mode: mean and sd (population) of a metric against their targets';

-- What is missing -------------------------------------------------------------------------------

CREATE VIEW pending_feature AS
SELECT m.metric_id, m.name, m.revision, t.track_id
FROM metric m
CROSS JOIN track t
WHERE m.wanted AND m.name = 'features' AND t.state = 'ok' AND t.collection = 'target'
  AND NOT EXISTS (
    SELECT FROM track_feature s WHERE s.metric_id = m.metric_id AND s.track_id = t.track_id)
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage = 'analyse' AND f.revision = m.revision AND f.track_id = t.track_id AND NOT f.retry);
COMMENT ON VIEW pending_feature IS 'Usable targets without features of the wanted revision, bad input left out';

CREATE VIEW pending_caption AS
SELECT c.captioner_id, c.name, c.revision, t.track_id, f.metric_id AS features_id
FROM captioner c
CROSS JOIN track t
JOIN track_feature f USING (track_id)
JOIN metric m ON m.metric_id = f.metric_id AND m.wanted
WHERE c.wanted AND t.state = 'ok' AND t.collection = 'target'
  AND NOT EXISTS (
    SELECT FROM caption s
    WHERE s.captioner_id = c.captioner_id AND s.track_id = t.track_id AND s.features_id = f.metric_id)
  AND NOT EXISTS (
    SELECT FROM failure x
    WHERE x.stage = 'caption' AND x.revision = c.revision AND x.track_id = t.track_id AND NOT x.retry);
COMMENT ON VIEW pending_caption IS 'Measured targets without a caption of the wanted captioner, bad input left out';

CREATE VIEW pending_generation AS
SELECT g.generator_id, g.name, g.revision, t.track_id AS target_id, c.caption_id,
    w.mode, w.is_conditioned, w.guidance, w.seed, w.template,
    round(least(t.seconds, w.longest_seconds)::numeric, 3)::double precision AS seconds, s.subject
FROM generation_wish w
JOIN generator g ON g.generator_id = w.generator_id AND g.wanted
JOIN track t ON t.state = 'ok' AND t.collection = 'target'
JOIN caption c ON c.track_id = t.track_id
JOIN captioner k ON k.captioner_id = c.captioner_id AND k.wanted
JOIN metric m ON m.metric_id = c.features_id AND m.wanted
CROSS JOIN LATERAL (
    SELECT concat_ws(' ', t.collection || ':' || encode(t.content_sha256, 'hex'), w.mode,
        'guidance ' || w.guidance, 'seed ' || w.seed) AS subject) s
WHERE NOT EXISTS (
    SELECT FROM generation o
    WHERE o.target_id = t.track_id AND o.generator_id = w.generator_id AND o.caption_id = c.caption_id
      AND o.mode = w.mode AND o.is_conditioned = w.is_conditioned
      AND o.guidance IS NOT DISTINCT FROM w.guidance AND o.seed = w.seed AND o.template = w.template
      AND o.seconds = round(least(t.seconds, w.longest_seconds)::numeric, 3)::double precision)
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage = 'generate' AND f.revision = g.revision AND NOT f.retry
      AND f.subject IN (s.subject, t.collection || ':' || encode(t.content_sha256, 'hex')));
COMMENT ON VIEW pending_generation IS 'Clips that the configuration asks for and that nobody has made; on which device does not matter';

CREATE OR REPLACE VIEW pending_pair AS
SELECT p.metric_id, p.name, m.metric_id AS melody_id, n.target_id, n.reference_id
FROM metric p
CROSS JOIN metric m
CROSS JOIN (
    SELECT n.target_id, n.reference_id
    FROM top_neighbour n
    JOIN encoder e ON e.encoder_id = n.encoder_id
        AND (e.wanted OR e.encoder_id IN (SELECT s.encoder_id FROM serving_revision s))
    UNION
    SELECT g.target_id, g.track_id FROM generation g) n
JOIN melody t ON t.metric_id = m.metric_id AND t.track_id = n.target_id
JOIN melody r ON r.metric_id = m.metric_id AND r.track_id = n.reference_id
WHERE p.wanted AND p.name = 'melody_accuracy' AND m.wanted AND m.name = 'melody'
  AND NOT EXISTS (
    SELECT FROM pair_score s
    WHERE s.metric_id = p.metric_id AND s.target_id = n.target_id AND s.reference_id = n.reference_id);
COMMENT ON VIEW pending_pair IS 'Answers and generations whose two melodies are there and whose melody accuracy is not';

CREATE OR REPLACE VIEW v_pending AS
SELECT 'embed' AS stage, name AS plugin, revision, count(*) AS items
FROM pending_embedding GROUP BY name, revision
UNION ALL
SELECT 'retrieve', e.name, e.revision, count(*)
FROM embedding_change c JOIN encoder e ON e.encoder_id = c.encoder_id
    AND (e.wanted OR e.encoder_id IN (SELECT s.encoder_id FROM serving_revision s))
GROUP BY e.name, e.revision
UNION ALL
SELECT 'melody', name, revision, count(*) FROM pending_melody GROUP BY name, revision
UNION ALL
SELECT 'evaluate', name, '', count(*) FROM pending_pair GROUP BY name
UNION ALL
SELECT 'score', plugin, revision, count(DISTINCT track_id)
FROM pending_track_score GROUP BY plugin, revision
UNION ALL
SELECT 'analyse', name, revision, count(*) FROM pending_feature GROUP BY name, revision
UNION ALL
SELECT 'caption', name, revision, count(*) FROM pending_caption GROUP BY name, revision
UNION ALL
SELECT 'generate', name, revision, count(*) FROM pending_generation GROUP BY name, revision;

-- What readers see ------------------------------------------------------------------------------

CREATE VIEW v_caption AS
SELECT t.track_id, t.title, k.name AS captioner, k.revision, c.caption, c.contradictions,
    f.tempo_bpm, f.meter, f.key, f.key_clarity, f.voiced_fraction, f.reasons,
    c.window_start_seconds, c.window_seconds, c.device, c.took_seconds,
    k.spec ->> 'licence_weights' AS licence_weights,
    k.spec ->> 'checkpoint' LIKE '%random%' AS random, k.wanted
FROM caption c
JOIN captioner k USING (captioner_id)
JOIN track t USING (track_id)
JOIN track_feature f ON f.metric_id = c.features_id AND f.track_id = c.track_id;
COMMENT ON VIEW v_caption IS 'Every caption beside what was measured of the same track';
COMMENT ON COLUMN v_caption.contradictions IS 'where the caption says otherwise than was measured';
COMMENT ON COLUMN v_caption.random IS 'true: a stand-in with random weights, its words say nothing about music';

CREATE VIEW v_generation AS
SELECT g.generation_id, r.name AS generator, g.mode, g.guidance, g.seed, t.title AS target,
    c.caption, g.prompt, g.seconds, g.target_id, g.track_id, k.name AS captioner,
    g.is_conditioned, g.template, g.prompt_parts, g.sampling, g.device, g.versions,
    g.took_seconds, g.made_at, f.path_text AS path, encode(g.content_sha256, 'hex') AS content_sha256,
    r.revision, r.wanted AND k.wanted AS wanted,
    r.spec ->> 'licence_weights' AS licence_weights,
    r.spec ->> 'checkpoint' LIKE '%random%' AS random
FROM generation g
JOIN generator r USING (generator_id)
JOIN track t ON t.track_id = g.target_id
JOIN caption c USING (caption_id)
JOIN captioner k USING (captioner_id)
LEFT JOIN LATERAL (
    SELECT min(path_text) AS path_text FROM track_file f
    WHERE f.track_id = g.track_id AND f.gone_at IS NULL) f ON true;
COMMENT ON VIEW v_generation IS 'Every clip that was made of a target, and what it was made from';
COMMENT ON COLUMN v_generation.guidance IS 'classifier-free guidance scale; NULL where the generator has none';
COMMENT ON COLUMN v_generation.random IS 'true: a stand-in with random weights, its clips say nothing about music';

CREATE VIEW v_generation_score AS
WITH made AS (
    SELECT g.*, r.name AS generator, r.revision,
        r.spec ->> 'licence_weights' AS licence_generator,
        r.spec ->> 'checkpoint' LIKE '%random%' AS random_generator
    FROM generation g
    JOIN generator r ON r.generator_id = g.generator_id AND r.wanted
    JOIN caption c USING (caption_id)
    JOIN captioner k ON k.captioner_id = c.captioner_id AND k.wanted
    JOIN track t ON t.track_id = g.target_id AND t.state = 'ok'
    WHERE EXISTS (
        SELECT FROM generation_wish w
        WHERE w.generator_id = g.generator_id AND w.template = g.template AND w.is_conditioned = g.is_conditioned)
), scored AS (
    SELECT m.generation_id, 'cosine ' || e.name AS metric,
        -(a.embedding OPERATOR(public.<#>) b.embedding) AS value,
        CASE WHEN a.embedding IS NULL OR b.embedding IS NULL THEN 'not_measured' END AS reason,
        e.spec ->> 'licence_weights' AS licence_weights,
        e.spec ->> 'checkpoint' LIKE '%random%' AS random
    FROM made m
    CROSS JOIN serving_revision s
    JOIN encoder e ON e.encoder_id = s.encoder_id AND e.wanted
    LEFT JOIN embedding a ON a.encoder_id = e.encoder_id AND a.track_id = m.target_id
    LEFT JOIN embedding b ON b.encoder_id = e.encoder_id AND b.track_id = m.track_id
    UNION ALL
    SELECT m.generation_id, 'melody_accuracy', p.value,
        CASE WHEN p.value IS NULL THEN coalesce(p.reason, 'not_measured') END, '', false
    FROM made m
    JOIN shown_metric q ON q.name = 'melody_accuracy'
    LEFT JOIN pair_score p
        ON p.metric_id = q.metric_id AND p.target_id = m.target_id AND p.reference_id = m.track_id
    UNION ALL
    SELECT m.generation_id, q.name, p.value,
        CASE WHEN p.value IS NULL THEN coalesce(p.reason, 'not_measured') END,
        q.spec ->> 'licence_weights', q.spec ->> 'checkpoint' LIKE '%random%'
    FROM made m
    JOIN shown_metric q ON q.spec ->> 'axis' IS NOT NULL
    LEFT JOIN track_score p ON p.metric_id = q.metric_id AND p.track_id = m.track_id
)
SELECT m.generation_id, m.generator_id, m.generator, m.mode, m.is_conditioned, m.guidance, m.seed, m.target_id, m.track_id,
    s.metric, s.value, s.reason, m.revision,
    concat_ws('; ', m.licence_generator, nullif(s.licence_weights, '')) AS licence_weights,
    m.random_generator OR coalesce(s.random, false) AS random
FROM made m
JOIN scored s USING (generation_id);
COMMENT ON VIEW v_generation_score IS 'Every number of every wanted clip: against its target, or of itself (aesthetics)';
COMMENT ON COLUMN v_generation_score.metric IS '"cosine" and an encoder: similarity of target and clip in that space; else a metric''s name';
COMMENT ON COLUMN v_generation_score.random IS 'true: random weights made the clip or the number, which says nothing about music';

CREATE VIEW v_generation_summary AS
SELECT r.name AS generator, s.mode, s.guidance, s.metric, s.n, s.mean, s.sd, s.undefined_n,
    r.revision, r.spec ->> 'licence_weights' AS licence_weights,
    r.spec ->> 'checkpoint' LIKE '%random%' AS random, s.run_id, n.finished_at
FROM run_generation_summary s
JOIN generator r USING (generator_id)
JOIN run n USING (run_id)
WHERE s.run_id = (SELECT max(run_id) FROM run);
COMMENT ON VIEW v_generation_summary IS 'The latest run: every metric''s mean and sd (population) over the clips of a mode and guidance';

CREATE VIEW v_generation_delta AS
WITH clip AS (
    SELECT generator, revision, mode, is_conditioned, guidance, target_id, metric, avg(value) AS value,
        bool_or(random) AS random,
        max(licence_weights) AS licence_weights
    FROM v_generation_score WHERE value IS NOT NULL
    GROUP BY generator, revision, mode, is_conditioned, guidance, target_id, metric
)
SELECT a.generator, a.metric, a.mode, a.guidance, b.mode AS than_mode, b.guidance AS than_guidance,
    count(*) AS n, avg(a.value - b.value) AS mean_difference, stddev_pop(a.value - b.value) AS sd,
    count(*) FILTER (WHERE a.value > b.value) AS higher_n, a.revision, bool_or(a.random OR b.random) AS random,
    max(a.licence_weights) AS licence_weights
FROM clip a
JOIN clip b ON (b.generator, b.revision, b.target_id, b.metric) = (a.generator, a.revision, a.target_id, a.metric)
    AND (b.is_conditioned, coalesce(b.guidance, 0), b.mode) < (a.is_conditioned, coalesce(a.guidance, 0), a.mode)
GROUP BY a.generator, a.revision, a.metric, a.mode, a.guidance, b.mode, b.guidance;
COMMENT ON VIEW v_generation_delta IS 'Modes compared, paired over targets: the mean of a target''s seeds in the stronger mode less that in the weaker';
COMMENT ON COLUMN v_generation_delta.higher_n IS 'targets at which the first mode has the higher value';

COMMENT ON COLUMN v_caption.licence_weights IS 'licence of the captioner''s weights, which may bind what its words are used for';
COMMENT ON COLUMN v_generation.licence_weights IS 'licence of the generator''s weights, which may bind what its clips are used for';
COMMENT ON COLUMN v_generation_score.licence_weights IS 'licences of the weights behind the number: the generator''s, then those that measured';
COMMENT ON COLUMN v_generation_summary.licence_weights IS 'licence of the generator''s weights';
COMMENT ON COLUMN v_generation_summary.random IS 'true: the generator has random weights, the numbers say nothing about music';
COMMENT ON COLUMN v_generation_delta.licence_weights IS 'licences of the weights behind the numbers: the generator''s, then those that measured';
COMMENT ON COLUMN v_generation_delta.random IS 'true: random weights made a clip or a number, the comparison says nothing about music';

GRANT SELECT ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON track_feature, captioner, caption, generator, generation_wish, generation,
    run_generation_summary TO mirpipe_app;
