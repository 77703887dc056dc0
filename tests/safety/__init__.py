"""The safety properties, with a model that obeys whoever speaks."""
