"""The Slack workspace and the model server for tests."""
