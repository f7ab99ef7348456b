SET LOCAL search_path = mirpipe, public;

CREATE TABLE serving_captioner (
    name text PRIMARY KEY,
    captioner_id integer NOT NULL REFERENCES captioner
);
COMMENT ON TABLE serving_captioner IS 'The active revision for each captioner name. A new revision becomes active when its captions and the clips from them are complete, unless MIRPIPE_PROMOTION lets it wait.';
COMMENT ON COLUMN serving_captioner.captioner_id IS 'Active revision, whose captions and clips enter the results; key in the table captioner.';

GRANT SELECT ON serving_captioner TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON serving_captioner TO mirpipe_app;

-- Whose clips are wanted, and therefore which pairs are scored, depends on this table.
CREATE TRIGGER pair_input_insert AFTER INSERT ON serving_captioner REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_pair_input_change();
CREATE TRIGGER pair_input_update AFTER UPDATE ON serving_captioner REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_pair_input_change();
CREATE TRIGGER pair_input_delete AFTER DELETE ON serving_captioner REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_pair_input_change();

INSERT INTO serving_captioner SELECT name, captioner_id FROM captioner WHERE wanted;
