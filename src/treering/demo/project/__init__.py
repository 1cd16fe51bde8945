"""The demo's main job as a project of its own: one TOML file, and the functions that its recipes name."""
