"""Components that several pages use: charts, tables, players, labels."""
