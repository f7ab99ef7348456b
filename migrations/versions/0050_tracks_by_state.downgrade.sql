DROP INDEX mirpipe.track_by_state;
