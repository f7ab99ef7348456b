SET LOCAL search_path = mirpipe, public;

-- Rows are only added and deleted: a change that happens while a row of the same track is being
-- deleted has its own row. There is no foreign key, because it would check each of a million rows.
CREATE TABLE unsettled_track (track_id bigint NOT NULL);
CREATE INDEX ON unsettled_track (track_id);
COMMENT ON TABLE unsettled_track IS 'Tracks that may have pending work: all tracks that were added, or that lost a result, since the last report that found them complete. A track can have several rows.';
GRANT SELECT ON unsettled_track TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON unsettled_track TO mirpipe_app;

CREATE FUNCTION note_unsettled_tracks() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    INSERT INTO unsettled_track SELECT DISTINCT track_id FROM changed WHERE track_id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER embedding_unsettled AFTER DELETE ON embedding REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled_tracks();
CREATE TRIGGER melody_unsettled AFTER DELETE ON melody REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled_tracks();
CREATE TRIGGER track_feature_unsettled AFTER DELETE ON track_feature REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled_tracks();
CREATE TRIGGER track_score_unsettled AFTER DELETE ON track_score REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled_tracks();
CREATE TRIGGER failure_unsettled AFTER DELETE ON failure REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled_tracks();
CREATE TRIGGER failure_updated_unsettled AFTER UPDATE ON failure REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled_tracks();
CREATE TRIGGER track_unsettled AFTER INSERT ON track REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_unsettled_tracks();

CREATE FUNCTION note_usable_tracks() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    INSERT INTO unsettled_track
    SELECT track_id FROM before b JOIN after a USING (track_id)
    WHERE a.state = 'ok' AND b.state <> 'ok';
    RETURN NULL;
END $$;
CREATE TRIGGER track_usable_unsettled AFTER UPDATE ON track
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION note_usable_tracks();

-- Rows of other transactions are deleted only under a lock that excludes this one, so a track with
-- a row needs no second one.
CREATE FUNCTION note_all_tracks() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    INSERT INTO unsettled_track
    SELECT track_id FROM track t WHERE state = 'ok'
        AND NOT EXISTS (SELECT FROM unsettled_track u WHERE u.track_id = t.track_id);
    RETURN NULL;
END $$;
CREATE TRIGGER encoder_added_unsettled AFTER INSERT ON encoder
    FOR EACH ROW WHEN (NEW.wanted) EXECUTE FUNCTION note_all_tracks();
CREATE TRIGGER encoder_wanted_unsettled AFTER UPDATE OF wanted ON encoder
    FOR EACH ROW WHEN (NEW.wanted AND NOT OLD.wanted) EXECUTE FUNCTION note_all_tracks();
CREATE TRIGGER metric_added_unsettled AFTER INSERT ON metric
    FOR EACH ROW WHEN (NEW.wanted) EXECUTE FUNCTION note_all_tracks();
CREATE TRIGGER metric_wanted_unsettled AFTER UPDATE OF wanted ON metric
    FOR EACH ROW WHEN (NEW.wanted AND NOT OLD.wanted) EXECUTE FUNCTION note_all_tracks();

INSERT INTO unsettled_track SELECT track_id FROM track WHERE state = 'ok';
