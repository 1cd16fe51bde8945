"""A whole project in one TOML file: sources, groups, recipes, views, training sets and models, run as often as one likes."""
