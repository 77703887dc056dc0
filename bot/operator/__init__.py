"""What an operator asks beside a bot that runs: does it work, and what has happened."""
