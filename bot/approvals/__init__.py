"""The gate: a parked call waits for a person, is decided once, and what came of it is shown."""
