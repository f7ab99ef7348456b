"""Music generators, one per file. The registry discovers them."""
