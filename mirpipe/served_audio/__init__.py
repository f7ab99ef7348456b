"""The audio of tracks over HTTP, for the players of the dashboard."""
