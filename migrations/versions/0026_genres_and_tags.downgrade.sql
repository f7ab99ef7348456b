SET LOCAL search_path = mirpipe, public;

-- Several genres stay in the label genre, separated by semicolons.
ALTER TABLE track DROP genres;
