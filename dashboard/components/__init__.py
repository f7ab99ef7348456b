"""Parts that several pages draw: charts, tables, players, labels."""
