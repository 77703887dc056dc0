"""The only code that knows slack_bolt: what comes in from Slack, and what goes out."""
