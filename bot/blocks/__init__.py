"""How everything we say looks in Slack: pure builders of Block Kit; nothing is sent from here."""
