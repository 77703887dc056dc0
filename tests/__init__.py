"""The tests of the support bot."""
