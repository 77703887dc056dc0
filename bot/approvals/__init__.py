"""The gate: a parked call waits for a person, is decided once, and its outcome is shown."""
