"""The tool loop with a model that is wrong, slow or gone."""
