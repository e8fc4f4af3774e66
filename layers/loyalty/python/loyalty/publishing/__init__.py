"""Events out: what the table's stream says, as versioned events on the bus."""
