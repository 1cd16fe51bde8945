"""Ordered feature-engineering steps over pandas frames, whose fitted state is JSON."""

from treering.recipes.clean import DropMissing, FillMissing, Filter
from treering.recipes.derive import step
from treering.recipes.encode import LabelEncode, OneHot
from treering.recipes.recipe import Recipe
from treering.recipes.scale import MinMax, Standard
from treering.recipes.steps import Step

__all__ = ["DropMissing", "FillMissing", "Filter", "LabelEncode", "MinMax", "OneHot", "Recipe", "Standard", "Step", "step"]
