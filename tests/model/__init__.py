"""Tests of the port to language models and of its adapter."""
