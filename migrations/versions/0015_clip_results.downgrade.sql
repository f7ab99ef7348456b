SET LOCAL search_path = mirpipe, public;

ALTER TABLE run_generation_summary DROP clips_n, DROP averaged_over;
ALTER TABLE run_group_summary DROP clips_n, DROP averaged_over;
ALTER TABLE run_comparison DROP than_mean;
