SET LOCAL search_path = mirpipe, public;

CREATE TABLE serving_generator (
    name text PRIMARY KEY,
    generator_id integer NOT NULL REFERENCES generator
);
COMMENT ON TABLE serving_generator IS 'The active revision for each generator name. A new revision becomes active when its clips are complete, unless MIRPIPE_PROMOTION lets it wait.';
COMMENT ON COLUMN serving_generator.generator_id IS 'Active revision, whose clips enter the results; key in the table generator.';

GRANT SELECT ON serving_generator TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON serving_generator TO mirpipe_app;

-- Whose clips are wanted, and therefore which pairs are scored, depends on this table.
CREATE TRIGGER pair_input_insert AFTER INSERT ON serving_generator REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_pair_input_change();
CREATE TRIGGER pair_input_update AFTER UPDATE ON serving_generator REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_pair_input_change();
CREATE TRIGGER pair_input_delete AFTER DELETE ON serving_generator REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_pair_input_change();

INSERT INTO serving_generator SELECT name, generator_id FROM generator WHERE wanted;
