SET LOCAL search_path = mirpipe, public;

-- Answers how many tracks of each state there are, and how long they are, without the table, and
-- finds the few tracks that are not usable.
CREATE INDEX track_by_state ON track (state, collection, has_audio) INCLUDE (seconds);

-- Finds the best matches of a run without those at the other ranks.
CREATE INDEX served_neighbour_best_by_run ON served_neighbour
    USING gist (int8range(from_run, to_run)) WHERE rank = 1;
