"""What any store is held to, whatever database is behind it."""
