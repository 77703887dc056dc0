"""What makes a machine's clock wrong; see `tests/stories/test_clocks.py`."""
