"""Traces and metrics for OpenTelemetry: what the bot tells, and the exporter that only an installed extra brings."""
