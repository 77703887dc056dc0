"""The safety properties, with a model that obeys anyone who speaks."""
