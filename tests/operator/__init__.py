"""What an operator asks, as they ask it: each command as a process."""
