"""What is shown in Slack."""
