"""mirpipe: a pipeline that embeds, matches, captions, generates and scores music on a schedule."""
