SET LOCAL search_path = mirpipe, public;

ALTER TABLE neighbour_change DROP CONSTRAINT neighbour_change_cause_check;
UPDATE neighbour_change SET cause = 'first answer' WHERE cause = 'first match';
UPDATE neighbour_change SET cause = 're-embedding' WHERE cause = 'new encoder revision';
ALTER TABLE neighbour_change ADD CONSTRAINT neighbour_change_cause_check
    CHECK (cause IN ('first answer', 'new reference', 'removed reference', 're-embedding', 'removed target'));
