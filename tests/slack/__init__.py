"""What comes in from Slack and what goes out."""
