SET LOCAL search_path = mirpipe, public;

-- Waveforms -------------------------------------------------------------------------------------

CREATE TABLE waveform (
    track_id bigint PRIMARY KEY REFERENCES track ON DELETE CASCADE,
    peaks bytea NOT NULL CHECK (octet_length(peaks) = 800)
);
ALTER TABLE waveform ALTER peaks SET STORAGE EXTERNAL;  -- does not compress
COMMENT ON TABLE waveform IS 'What a player draws of a track: its outline in 400 columns, made by ingest as it decodes';
COMMENT ON COLUMN waveform.track_id IS 'the track, in any collection';
COMMENT ON COLUMN waveform.peaks IS '400 pairs of signed bytes, lowest and highest sample of the mono mix in that 400th of the track; 127 is full scale';

CREATE VIEW pending_waveform AS
SELECT t.track_id, t.collection
FROM track t
WHERE t.state = 'ok'
  AND NOT EXISTS (SELECT FROM waveform w WHERE w.track_id = t.track_id)
  AND NOT EXISTS (
    SELECT FROM failure f
    WHERE f.stage = 'draw' AND f.track_id = t.track_id AND NOT f.retry);
COMMENT ON VIEW pending_waveform IS 'Usable tracks without a waveform, bad input left out: the next ingest draws them';
COMMENT ON COLUMN pending_waveform.track_id IS 'the track';
COMMENT ON COLUMN pending_waveform.collection IS 'reference, target or generated';

-- Maps ------------------------------------------------------------------------------------------

CREATE TABLE map (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    tracks_n integer NOT NULL,
    spread_x double precision NOT NULL CHECK (spread_x BETWEEN 0 AND 1),
    spread_y double precision NOT NULL CHECK (spread_y BETWEEN 0 AND 1),
    PRIMARY KEY (run_id, encoder_id)
);
COMMENT ON TABLE map IS 'A projection of an encoder''s space onto the two directions in which its references differ most (principal components); the latest run''s alone is kept';
COMMENT ON COLUMN map.run_id IS 'the run that drew it';
COMMENT ON COLUMN map.encoder_id IS 'whose space it is';
COMMENT ON COLUMN map.tracks_n IS 'usable tracks that have a vector; map_point holds some thousand of them at most';
COMMENT ON COLUMN map.spread_x IS 'share of the references'' variance along x, 0 to 1';
COMMENT ON COLUMN map.spread_y IS 'share of the references'' variance along y, 0 to 1';

CREATE TABLE map_point (
    run_id bigint NOT NULL,
    encoder_id smallint NOT NULL,
    track_id bigint NOT NULL REFERENCES track ON DELETE CASCADE,
    x real NOT NULL,
    y real NOT NULL,
    PRIMARY KEY (run_id, encoder_id, track_id),
    FOREIGN KEY (run_id, encoder_id) REFERENCES map ON DELETE CASCADE
);
COMMENT ON TABLE map_point IS 'Where tracks lie on a map: of each collection those of the lowest content hashes, 2,000 references and 1,000 others';
COMMENT ON COLUMN map_point.run_id IS 'the run that drew the map';
COMMENT ON COLUMN map_point.encoder_id IS 'whose space it is';
COMMENT ON COLUMN map_point.track_id IS 'the track';
COMMENT ON COLUMN map_point.x IS 'along the direction in which the references differ most; the mean of the references is 0';
COMMENT ON COLUMN map_point.y IS 'along the direction, at a right angle to x, in which they differ most; the mean of the references is 0';

CREATE VIEW v_map AS
SELECT e.name AS encoder, t.title AS track, t.collection, p.x, p.y, t.labels, p.track_id,
    m.spread_x, m.spread_y, m.tracks_n, m.run_id, e.revision,
    e.spec ->> 'licence_weights' AS licence_weights,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false) AS random
FROM map_point p
JOIN map m USING (run_id, encoder_id)
JOIN encoder e USING (encoder_id)
JOIN track t USING (track_id);
COMMENT ON VIEW v_map IS 'The latest run''s maps: where tracks lie in the two directions in which an encoder''s references differ most';
COMMENT ON COLUMN v_map.encoder IS 'whose space it is; places on two encoders'' maps have nothing to do with each other';
COMMENT ON COLUMN v_map.track IS 'the track''s title; not unique, join by track_id';
COMMENT ON COLUMN v_map.collection IS 'reference, target or generated';
COMMENT ON COLUMN v_map.x IS 'along the first principal component of the references, 0 at their mean';
COMMENT ON COLUMN v_map.y IS 'along the second principal component of the references, 0 at their mean';
COMMENT ON COLUMN v_map.labels IS 'the track''s labels';
COMMENT ON COLUMN v_map.track_id IS 'the track';
COMMENT ON COLUMN v_map.spread_x IS 'share of the references'' variance along x, 0 to 1';
COMMENT ON COLUMN v_map.spread_y IS 'share of the references'' variance along y, 0 to 1';
COMMENT ON COLUMN v_map.tracks_n IS 'usable tracks that have a vector, on the map or not';
COMMENT ON COLUMN v_map.run_id IS 'the run that drew the map';
COMMENT ON COLUMN v_map.revision IS 'of the encoder';
COMMENT ON COLUMN v_map.licence_weights IS 'licence of the encoder''s weights, which may bind what the map is used for';
COMMENT ON COLUMN v_map.random IS 'true: the encoder has random weights, the map says nothing about music';

GRANT SELECT ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON waveform, map, map_point TO mirpipe_app;
