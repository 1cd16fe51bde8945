from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError as SklearnNotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted

from support.nyc_files import planes, weather
from treering.errors import InvalidDefinitionError, NotFittedError, RecipeError
from treering.recipes import Category, DropMissing, FillMissing, LabelEncode, MinMax, OneHot, Recipe, Standard

NUMBERS = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
PLANES = ["type", "manufacturer", "engines", "seats", "engine"]


class OnArrays(Recipe):
    """A recipe that names the columns of an array: scikit-learn's checks feed arrays, which a recipe refuses."""

    def fit(self, frame: Any, y: object = None) -> Recipe:
        return super().fit(_framed(frame), y)

    def transform(self, frame: Any) -> pd.DataFrame:
        return super().transform(_framed(frame))


def _framed(values: Any) -> Any:
    is_table = isinstance(values, np.ndarray) and values.ndim == 2
    return pd.DataFrame(values, columns=[f"x{position}" for position in range(values.shape[1])]) if is_table else values


EXCLUDED = {
    "check_do_not_raise_errors_in_init_or_set_params": "a recipe refuses what is no list of steps at once, not at fit",
    "check_n_features_in_after_fitting": "a missing column is named, where arrays can only be counted",
    "check_transformer_general": "a missing column is a NotFoundError, not a ValueError",
    "check_estimators_empty_data_messages": "a frame without columns is refused in words of our own",
    "check_complex_data": "complex numbers are refused in words of our own",
    "check_fit2d_predict1d": "an array of one dimension is refused in words of our own",
    "check_estimator_sparse_tag": "sparse input is refused in words of our own",
    "check_estimator_sparse_array": "a sparse array is refused in words of our own",
    "check_estimator_sparse_matrix": "a sparse matrix is refused in words of our own",
    "check_dtype_object": "numbers that are kept as objects are not guessed to be numbers",
    "check_transformer_data_not_an_array": "only pandas frames are taken",
    "check_transformer_preserve_dtypes": "frames come out, whose columns have a type each",
}


# The checks warn about estimators without scikit-learn's base class, which would load it with treering, and about what they then pass.
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks_pass_but_for_those_that_are_about_arrays() -> None:
    results = check_estimator(OnArrays([Standard()]), on_fail=None, on_skip=None)
    assert {result["check_name"] for result in results if result["status"] == "failed"} == set(EXCLUDED)
    assert len([result for result in results if result["status"] == "passed"]) >= 28


@pytest.mark.parametrize("steps", [[MinMax("seats")], (FillMissing(), OneHot(maximum_categories=3))])
def test_a_clone_has_the_steps_and_learned_nothing(steps: Any) -> None:
    recipe = Recipe(steps).set_output(transform="polars").fit(planes()[PLANES])
    copied = clone(recipe)
    assert (copied.is_fitted, copied.steps) == (False, recipe.steps)
    assert copied.fit(planes()[PLANES]) == recipe
    assert isinstance(copied.transform(planes()[PLANES]), pl.DataFrame)


def test_a_pipeline_of_a_recipe_and_a_model_predicts_as_both_do_by_hand() -> None:
    frame = weather()[NUMBERS].fillna(0.0)
    pipeline = make_pipeline(Recipe([Standard()]), Ridge()).fit(frame[NUMBERS[1:]], frame["temp"])
    by_hand = make_pipeline(StandardScaler(), Ridge()).fit(frame[NUMBERS[1:]], frame["temp"])
    np.testing.assert_array_equal(pipeline.predict(frame[NUMBERS[1:]]), by_hand.predict(frame[NUMBERS[1:]]))
    assert pipeline[:-1].get_feature_names_out().tolist() == NUMBERS[1:]
    assert (pipeline.n_features_in_, pipeline.feature_names_in_.tolist()) == (6, NUMBERS[1:])


def test_each_fold_of_a_cross_validation_learns_from_its_own_rows() -> None:
    frame = weather()[NUMBERS].fillna(0.0)
    recipe = Recipe([Standard()])
    ours, theirs = (
        cross_val_score(make_pipeline(scaler, Ridge()), frame[NUMBERS[1:]], frame["temp"], cv=3, error_score="raise") for scaler in (recipe, StandardScaler())
    )
    np.testing.assert_array_equal(ours, theirs)
    assert not recipe.is_fitted


def test_a_column_transformer_takes_recipes_beside_its_own_transformers() -> None:
    parts = [("numbers", Recipe([FillMissing(), MinMax()]), ["engines", "seats"]), ("text", OneHotEncoder(sparse_output=False), ["engine"])]
    transformer = ColumnTransformer(parts).set_output(transform="pandas")
    transformed = transformer.fit_transform(planes()[PLANES])
    assert transformed.columns.tolist()[:3] == ["numbers__engines", "numbers__seats", "text__engine_4 Cycle"]
    expected = Recipe([FillMissing(), MinMax()]).fit_transform(planes()[["engines", "seats"]])
    np.testing.assert_array_equal(transformed.iloc[:, :2].to_numpy(), expected.to_numpy())


def test_a_search_may_choose_between_lists_of_steps() -> None:
    frame = weather()[NUMBERS].fillna(0.0)
    pipeline = Pipeline([("recipe", Recipe([Standard()])), ("model", Ridge())])
    choices = {"recipe__steps": [[Standard()], [MinMax()]], "model__alpha": [1.0, 10.0]}
    search = GridSearchCV(pipeline, choices, cv=2, error_score="raise").fit(frame[NUMBERS[1:]], frame["temp"])
    assert search.best_params_["recipe__steps"] in choices["recipe__steps"]
    assert len(search.cv_results_["params"]) == 4


def test_polars_frames_come_out_where_they_were_asked_for() -> None:
    recipe = Recipe([FillMissing("seats"), LabelEncode("engine")]).fit(planes()[PLANES])
    expected = recipe.transform(planes()[PLANES])
    found = recipe.set_output(transform="polars").transform(planes()[PLANES])
    assert isinstance(found, pl.DataFrame)
    pd.testing.assert_frame_equal(found.to_pandas().astype(expected.dtypes.to_dict()), expected)
    assert recipe.set_output().transform(planes()[PLANES]).columns == found.columns
    assert isinstance(recipe.set_output(transform="default").transform(planes()[PLANES]), pd.DataFrame)


def test_what_a_recipe_gives_is_no_part_of_what_it_is() -> None:
    assert Recipe([MinMax()]).set_output(transform="polars") == Recipe([MinMax()])


def test_an_unknown_kind_of_output_or_parameter_is_refused() -> None:
    with pytest.raises(InvalidDefinitionError, match="'default', 'pandas', 'polars', not 'numpy'"):
        Recipe([MinMax()]).set_output(transform="numpy")  # type: ignore[arg-type]  # The mistake.
    with pytest.raises(InvalidDefinitionError, match="no parameter 'stpes'"):
        Recipe([MinMax()]).set_params(stpes=[])
    with pytest.raises(InvalidDefinitionError, match="one or more steps"):
        Recipe([MinMax()]).set_params(steps=[])


def test_a_recipe_that_is_not_fitted_says_so_to_scikit_learn_too() -> None:
    recipe = Recipe([MinMax()])
    for error in (NotFittedError, SklearnNotFittedError):
        with pytest.raises(error, match="Call fit"):
            recipe.transform(planes())
    with pytest.raises(SklearnNotFittedError):
        check_is_fitted(recipe)
    check_is_fitted(recipe.fit(planes()))
    assert not hasattr(Recipe([MinMax()]), "n_features_in_")


def test_columns_in_are_told_as_scikit_learn_tells_them() -> None:
    recipe = Recipe([Category("engine"), MinMax("seats")]).fit(planes()[PLANES])
    assert isinstance(recipe.feature_names_in_, np.ndarray)
    assert (recipe.n_features_in_, recipe.feature_names_in_.tolist()) == (5, PLANES)
    assert recipe.get_feature_names_out(PLANES).tolist() == PLANES
    with pytest.raises(RecipeError, match="input_features is not equal to feature_names_in_"):
        recipe.get_feature_names_out(PLANES[1:])


def test_a_step_that_drops_rows_is_refused_beside_a_label() -> None:
    frame = planes()[["seats", "year"]]
    with pytest.raises(RecipeError, match=r"has step 2, DropMissing, which drops rows.*recipe of the ingestion"):
        make_pipeline(Recipe([MinMax("seats"), DropMissing()]), Ridge()).fit(frame, frame["seats"])
    assert len(Recipe([DropMissing()]).fit_transform(frame)) < len(frame)
