"""From parked to settled."""
