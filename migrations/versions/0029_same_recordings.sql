SET LOCAL search_path = mirpipe, public;

CREATE TABLE fingerprint (
    track_id bigint PRIMARY KEY REFERENCES track ON DELETE CASCADE,
    revision text NOT NULL,
    frames bytea,
    codes integer[],
    reason text,
    CHECK ((frames IS NULL) = (reason IS NOT NULL)),
    CHECK ((frames IS NULL) = (codes IS NULL))
);
-- Each lookup would read the complete list of entries that are not in the index yet.
CREATE INDEX ON fingerprint USING gin (codes) WITH (fastupdate = off);
COMMENT ON TABLE fingerprint IS 'Acoustic fingerprint of each reference and target, by Chromaprint, or the reason why there is none. Clips have none.';
COMMENT ON COLUMN fingerprint.revision IS 'Algorithm that computed the fingerprint. Empty if nothing was computed, so that the next ingest tries again. Only fingerprints of one revision are compared.';
COMMENT ON COLUMN fingerprint.frames IS 'One 32-bit value per 0.124 s of the complete track, little-endian. Each value describes 2.7 s. NULL if there is no fingerprint.';
COMMENT ON COLUMN fingerprint.codes IS 'Selected distinct values, by which tracks with common passages are found: a quarter of the values, or all values of a fingerprint with up to 400.';
COMMENT ON COLUMN fingerprint.reason IS 'Code of the reason why there is no fingerprint. needs_chromaprint: libchromaprint is not installed. too_short: less than 7.6 s. silent: digital silence. failed: libchromaprint failed. NULL if there is a fingerprint.';

-- This is no column of the table fingerprint: an update of a row would write all its codes to the
-- index again.
CREATE TABLE fingerprint_change (
    track_id bigint PRIMARY KEY REFERENCES fingerprint ON DELETE CASCADE
);
COMMENT ON TABLE fingerprint_change IS 'Fingerprints that are new or have changed, and were not compared with all others yet. The next run compares them.';

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

GRANT SELECT ON fingerprint, fingerprint_change, same_recording TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON fingerprint, fingerprint_change, same_recording TO mirpipe_app;
