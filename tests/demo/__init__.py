"""The tests of the demo: its workspace, its model, its page."""
