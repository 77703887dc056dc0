"""Modules with one slip each."""
