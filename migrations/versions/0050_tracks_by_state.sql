SET LOCAL search_path = mirpipe, public;

-- Answers how many tracks of each state there are, and how long they are, without the table, and
-- finds the few tracks that are not usable.
CREATE INDEX track_by_state ON track (state, collection, has_audio) INCLUDE (seconds);
