DROP INDEX mirpipe.track_by_state, mirpipe.served_neighbour_best_by_run;
