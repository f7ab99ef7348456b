SET LOCAL search_path = mirpipe, public;

ALTER TABLE neighbour_change DROP CONSTRAINT neighbour_change_cause_check;
UPDATE neighbour_change SET cause = 'first match' WHERE cause = 'first answer';
UPDATE neighbour_change SET cause = 'new encoder revision' WHERE cause = 're-embedding';
ALTER TABLE neighbour_change ADD CONSTRAINT neighbour_change_cause_check
    CHECK (cause IN ('first match', 'new reference', 'removed reference', 'new encoder revision', 'removed target'));
