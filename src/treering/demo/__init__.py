"""The main job on real flights, from raw CSV to a model."""
