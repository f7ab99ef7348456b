"""Components that several pages use: charts, tables, players and labels."""
