SET LOCAL search_path = mirpipe, public;

-- Earlier versions marked random weights only in the checkpoint name.
UPDATE encoder SET spec = spec || '{"is_random": true}' WHERE spec ->> 'checkpoint' LIKE '% (random)';
UPDATE metric SET spec = spec || '{"is_random": true}' WHERE spec ->> 'checkpoint' LIKE '% (random)';
UPDATE captioner SET spec = spec || '{"is_random": true}' WHERE spec ->> 'checkpoint' LIKE '% (random)';
UPDATE generator SET spec = spec || '{"is_random": true}' WHERE spec ->> 'checkpoint' LIKE '% (random)';

ALTER TABLE encoder
    ADD is_random boolean NOT NULL GENERATED ALWAYS AS (spec @> '{"is_random": true}') STORED;
ALTER TABLE metric
    ADD is_random boolean NOT NULL GENERATED ALWAYS AS (spec @> '{"is_random": true}') STORED;
ALTER TABLE captioner
    ADD is_random boolean NOT NULL GENERATED ALWAYS AS (spec @> '{"is_random": true}') STORED;
ALTER TABLE generator
    ADD is_random boolean NOT NULL GENERATED ALWAYS AS (spec @> '{"is_random": true}') STORED;
