"""Ordered feature-engineering steps over pandas frames, whose fitted state is JSON."""

from treering.recipes.clean import Clip, DropDuplicates, DropMissing, FillMissing, Filter
from treering.recipes.compute import Compute
from treering.recipes.convert import Cast, ParseTimes
from treering.recipes.dates import DateParts
from treering.recipes.derive import step, step_across_rows
from treering.recipes.encode import Category, Frequency, LabelEncode
from treering.recipes.history import FillForward, Lag, Rolling
from treering.recipes.invariance import check_future_invariance
from treering.recipes.one_hot import OneHot
from treering.recipes.recipe import Recipe
from treering.recipes.scale import MinMax, Robust, Standard
from treering.recipes.steps import Step
from treering.recipes.tidy import DropColumns, KeepColumns, Rename, Strip

__all__ = [
    "Cast",
    "Category",
    "Clip",
    "Compute",
    "DateParts",
    "DropColumns",
    "DropDuplicates",
    "DropMissing",
    "FillForward",
    "FillMissing",
    "Filter",
    "Frequency",
    "KeepColumns",
    "LabelEncode",
    "Lag",
    "MinMax",
    "OneHot",
    "ParseTimes",
    "Recipe",
    "Rename",
    "Robust",
    "Rolling",
    "Standard",
    "Step",
    "Strip",
    "check_future_invariance",
    "step",
    "step_across_rows",
]
