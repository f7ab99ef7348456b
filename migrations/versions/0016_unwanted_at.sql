SET LOCAL search_path = mirpipe, public;

CREATE FUNCTION record_unwanted() RETURNS trigger
LANGUAGE plpgsql SET search_path = mirpipe, public, pg_temp AS $$
BEGIN
    NEW.unwanted_at := CASE WHEN NOT NEW.wanted THEN now() END;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION record_unwanted FROM PUBLIC;

-- For revisions that were replaced earlier, the retention time starts at this migration.
ALTER TABLE encoder ADD unwanted_at timestamptz;
UPDATE encoder SET unwanted_at = now() WHERE NOT wanted;
CREATE TRIGGER encoder_unwanted BEFORE UPDATE OF wanted ON encoder FOR EACH ROW
    WHEN (OLD.wanted <> NEW.wanted) EXECUTE FUNCTION record_unwanted();
ALTER TABLE metric ADD unwanted_at timestamptz;
UPDATE metric SET unwanted_at = now() WHERE NOT wanted;
CREATE TRIGGER metric_unwanted BEFORE UPDATE OF wanted ON metric FOR EACH ROW
    WHEN (OLD.wanted <> NEW.wanted) EXECUTE FUNCTION record_unwanted();
ALTER TABLE captioner ADD unwanted_at timestamptz;
UPDATE captioner SET unwanted_at = now() WHERE NOT wanted;
CREATE TRIGGER captioner_unwanted BEFORE UPDATE OF wanted ON captioner FOR EACH ROW
    WHEN (OLD.wanted <> NEW.wanted) EXECUTE FUNCTION record_unwanted();
ALTER TABLE generator ADD unwanted_at timestamptz;
UPDATE generator SET unwanted_at = now() WHERE NOT wanted;
CREATE TRIGGER generator_unwanted BEFORE UPDATE OF wanted ON generator FOR EACH ROW
    WHEN (OLD.wanted <> NEW.wanted) EXECUTE FUNCTION record_unwanted();
