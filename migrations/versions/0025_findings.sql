SET LOCAL search_path = mirpipe, public;

CREATE TABLE track_audio (
    track_id bigint PRIMARY KEY REFERENCES track ON DELETE CASCADE,
    mono_channel smallint CHECK (mono_channel >= 0),
    dc_offset double precision NOT NULL,
    correlation double precision CHECK (correlation BETWEEN -1 AND 1)
);
COMMENT ON TABLE track_audio IS 'How the channels of each track become mono, measured while ingest decodes the track. A track without a row is measured by the next ingest.';
COMMENT ON COLUMN track_audio.mono_channel IS 'Number of the channel that is used alone, from 0, because the channels cancel each other. NULL if all channels are mixed.';
COMMENT ON COLUMN track_audio.dc_offset IS 'DC offset that is subtracted from the mono samples. 0 if it is below 1% of the level, because it then changes no result.';
COMMENT ON COLUMN track_audio.correlation IS 'Correlation of the two channels. NULL if there are not two, or if one has a constant value.';

CREATE TABLE finding (
    track_id bigint NOT NULL REFERENCES track ON DELETE CASCADE,
    number smallint NOT NULL CHECK (number >= 0),
    kind text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning')),
    seconds double precision CHECK (seconds >= 0),
    detail text NOT NULL,
    PRIMARY KEY (track_id, number)
);
CREATE INDEX ON finding (kind);
COMMENT ON TABLE finding IS 'Findings about the audio of tracks: damage, missing audio, clipping, silence, silent or inverted channels, DC offset, level, bandwidth.';

GRANT SELECT ON track_audio, finding TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON track_audio, finding TO mirpipe_app;

-- The next ingest reads these files and measures these tracks again.
DELETE FROM failure WHERE stage = 'draw';
DELETE FROM failure WHERE stage = 'ingest' AND subject IN (
    SELECT path_text FROM track_file WHERE track_id IS NULL AND reason IN (
        'absurd_header', 'not_audio', 'no_frames', 'silent', 'truncated', 'unknown_length'));
DELETE FROM track_file WHERE track_id IS NULL AND reason IN (
    'absurd_header', 'not_audio', 'no_frames', 'silent', 'truncated', 'unknown_length');
