SET LOCAL search_path = mirpipe, public;

CREATE TABLE fingerprint (
    track_id bigint PRIMARY KEY REFERENCES track ON DELETE CASCADE,
    revision text NOT NULL,
    frames bytea,
    codes integer[],
    reason text,
    compared boolean NOT NULL DEFAULT false,
    CHECK ((frames IS NULL) = (reason IS NOT NULL)),
    CHECK ((frames IS NULL) = (codes IS NULL))
);
CREATE INDEX ON fingerprint USING gin (codes);
CREATE INDEX ON fingerprint (track_id) WHERE NOT compared;
COMMENT ON TABLE fingerprint IS 'Acoustic fingerprint of each reference and target, by Chromaprint, or the reason why there is none. Clips have none.';
COMMENT ON COLUMN fingerprint.revision IS 'Algorithm that computed the fingerprint. Empty if nothing was computed, so that the next ingest tries again. Only fingerprints of one revision are compared.';
COMMENT ON COLUMN fingerprint.frames IS 'One 32-bit value per 0.124 s of the complete track, little-endian. Each value describes 2.7 s. NULL if there is no fingerprint.';
COMMENT ON COLUMN fingerprint.codes IS 'Selected distinct values, by which tracks with common passages are found: a quarter of the values, or all values of a fingerprint with up to 400.';
COMMENT ON COLUMN fingerprint.reason IS 'Code of the reason why there is no fingerprint. needs_chromaprint: ffmpeg with Chromaprint is not installed. too_short: less than 7.6 s. silent: digital silence. failed: ffmpeg failed. NULL if there is a fingerprint.';
COMMENT ON COLUMN fingerprint.compared IS 'true if the fingerprint has been compared with all others that were stored before, or if there is no fingerprint.';

CREATE TABLE same_recording (
    track_id bigint NOT NULL REFERENCES track ON DELETE CASCADE,
    other_id bigint NOT NULL REFERENCES track ON DELETE CASCADE,
    agreement double precision NOT NULL CHECK (agreement BETWEEN 0 AND 1),
    overlap_seconds double precision NOT NULL CHECK (overlap_seconds > 0),
    offset_seconds double precision NOT NULL,
    PRIMARY KEY (track_id, other_id),
    CHECK (track_id < other_id)
);
CREATE INDEX ON same_recording (other_id);
COMMENT ON TABLE same_recording IS 'Pairs of tracks that contain the same recording, found by their fingerprints.';
COMMENT ON COLUMN same_recording.other_id IS 'The other track of the pair; key in the table track.';
COMMENT ON COLUMN same_recording.agreement IS 'Share of equal bits in the common passage of the two fingerprints, 0 to 1. About 0.5 is expected for unrelated music, and up to 0.9 for unrelated drum loops. At least 0.65 remains after correction for chance.';
COMMENT ON COLUMN same_recording.overlap_seconds IS 'Length of the common passage, in seconds.';
COMMENT ON COLUMN same_recording.offset_seconds IS 'Start of the common passage in the other track minus its start in the track, in seconds.';

GRANT SELECT ON fingerprint, same_recording TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON fingerprint, same_recording TO mirpipe_app;
