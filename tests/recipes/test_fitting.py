import json
from collections.abc import Iterator
from functools import cache

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treering as tr
from support.nyc_files import flights
from support.recipe_functions import with_speed
from treering.errors import InvalidDefinitionError, NotFoundError, RecipeError
from treering.recipes import Step
from treering.recipes.fitting import Batches
from treering.recipes.recipe import KINDS
from treering.schema.times import microseconds_at

ROWS = 150_000
STEPS: list[Step] = [
    tr.Cast("distance", "String"),
    tr.Category("dest", maximum_categories=20),
    tr.Clip("arr_delay", low=0.0),
    tr.Compute("speed", "distance / air_time"),
    tr.DateParts("time_hour", cycles=True),
    tr.step(with_speed),
    tr.DropColumns("carrier"),
    tr.DropMissing("dep_delay"),
    tr.FillMissing("arr_delay", with_="median"),
    tr.FillMissing(with_="mean"),
    tr.FillMissing("tailnum", with_="most_frequent"),
    tr.Filter("dep_delay < 300"),
    tr.Frequency("tailnum"),
    tr.KeepColumns(["carrier", "dest"]),
    tr.LabelEncode("tailnum"),
    tr.LabelEncode("origin", categories=["LGA", "JFK", "EWR"]),
    tr.MinMax(["dep_delay", "distance"]),
    tr.OneHot(["carrier", "origin"], maximum_categories=5),
    tr.ParseTimes("local_time", time_zone="UTC"),
    tr.Rename({"dest": "destination"}),
    tr.Robust("arr_delay"),
    tr.Standard(["arr_delay", "distance"]),
    tr.Strip("tailnum"),
]
CHAIN: list[Step] = [
    tr.Filter("dep_delay < 300"),
    tr.FillMissing(["arr_delay", "air_time"], with_="median"),
    tr.step(with_speed),
    tr.Standard(["distance", "dep_delay"]),
    tr.MinMax(["distance", "speed"]),
    tr.Robust("arr_delay"),
    tr.Rename({"origin": "airport"}),
    tr.LabelEncode("airport"),
    tr.OneHot("carrier", maximum_categories=4),
    tr.Frequency("tailnum"),
    tr.Category("dest"),
    tr.DateParts("time_hour"),
]


@cache
def _flights() -> pd.DataFrame:
    columns = ["dep_delay", "arr_delay", "carrier", "tailnum", "origin", "dest", "air_time", "distance"]
    frame = flights(ROWS)
    times = pd.to_datetime(frame["time_hour"], utc=True)
    return frame[columns].assign(time_hour=times, local_time=times.dt.strftime("%Y-%m-%d %H:%M:%S"))


def _cut(frame: pd.DataFrame, *places: int) -> Batches:
    def batches() -> Iterator[pd.DataFrame]:
        for start, end in zip((0, *places), (*places, len(frame)), strict=True):
            yield frame.iloc[start:end]

    return batches


def _in(frame: pd.DataFrame, size: int) -> Batches:
    return _cut(frame, *range(size, len(frame), size))


def _state(recipe: tr.Recipe) -> str:
    return json.dumps(recipe.to_json(), sort_keys=True)


@pytest.mark.parametrize("step", STEPS, ids=repr)
@pytest.mark.parametrize("size", [7_001, 65_536, 99_991])
def test_a_step_learns_the_same_bits_from_batches_of_any_size(step: Step, size: int) -> None:
    assert _state(tr.Recipe([step]).fit_batches(_in(_flights(), size))) == _state(tr.Recipe([step]).fit(_flights()))


def test_every_step_that_learns_from_batches_is_among_those_tried() -> None:
    assert {step.name for step in STEPS} == {name for name, kind in KINDS.items() if not kind.looks_across_rows}


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, ROWS), max_size=6).map(sorted))
def test_steps_after_one_another_learn_the_same_bits_wherever_batches_end(places: list[int]) -> None:
    assert _state(tr.Recipe(CHAIN).fit_batches(_cut(_flights(), *places))) == _state(_fitted_chain())


@cache
def _fitted_chain() -> tr.Recipe:
    return tr.Recipe(CHAIN).fit(_flights())


def test_fit_transform_is_fit_and_then_transform() -> None:
    pd.testing.assert_frame_equal(tr.Recipe(CHAIN).fit_transform(_flights()), _fitted_chain().transform(_flights()), check_exact=True)


def test_a_step_that_looks_across_rows_is_refused_by_name_and_sees_the_whole_of_one_frame() -> None:
    recipe = tr.Recipe([tr.Compute("hours", "air_time / 60"), tr.DropDuplicates("tailnum"), tr.MinMax("hours")])
    with pytest.raises(RecipeError, match=r"Step 2, DropDuplicates, looks at other rows of the frame.*Use fit"):
        recipe.fit_batches(_in(_flights(), 50_000))
    last = _flights().drop_duplicates("tailnum", keep="last")
    assert recipe.fit(_flights()).fitted_on_.rows == len(last) < 65_536
    assert recipe.transform(_flights())["hours"].max() == pytest.approx(1.0)


def test_a_column_of_whole_numbers_that_has_gaps_in_a_later_batch_is_one_of_floats() -> None:
    batches = [pd.DataFrame({"engines": [2, 1], "model": ["a", "b"]}), pd.DataFrame({"model": [None, "c"], "engines": [4, None]})]
    recipe = tr.Recipe([tr.LabelEncode("engines"), tr.OneHot("model")])
    assert _state(tr.Recipe(recipe.steps).fit_batches(lambda: batches)) == _state(recipe.fit(pd.concat(batches)))


def test_batches_may_be_empty() -> None:
    frame = _flights().iloc[:100]
    batches = [frame[:0], frame[:40], frame[:0], frame[40:], frame[:0]]
    assert tr.Recipe([tr.MinMax()]).fit_batches(lambda: batches) == tr.Recipe([tr.MinMax()]).fit(frame)
    assert tr.Recipe([tr.DropMissing()]).fit_batches(lambda: [frame[:0]]) == tr.Recipe([tr.DropMissing()]).fit(frame[:0])


def test_an_iterator_that_can_be_read_once_is_found_out() -> None:
    once = iter([_flights().iloc[:100]])
    with pytest.raises(RecipeError, match=r"gave 100 rows when it was first called and 0 when it was called again.*return a new iterator"):
        tr.Recipe([tr.MinMax("distance")]).fit_batches(lambda: once)


def test_batches_that_are_no_function_are_refused() -> None:
    with pytest.raises(InvalidDefinitionError, match=r"fit_batches\(lambda: pandas.read_csv"):
        tr.Recipe([tr.MinMax()]).fit_batches([_flights()])  # type: ignore[arg-type]  # The mistake.


def test_batches_with_other_columns_are_refused_by_number() -> None:
    batches = [_flights()[["distance"]], _flights()[["distance", "air_time"]]]
    with pytest.raises(RecipeError, match="Column 'air_time' is not in all batches: batch 2"):
        tr.Recipe([tr.MinMax()]).fit_batches(lambda: batches)


def test_no_batch_is_nothing_to_fit_on() -> None:
    with pytest.raises(RecipeError, match="gave no batch"):
        tr.Recipe([tr.MinMax()]).fit_batches(list)


def test_a_streamed_fit_that_fails_leaves_the_recipe_unfitted() -> None:
    recipe = tr.Recipe([tr.MinMax("distance"), tr.MinMax("speed")])
    with pytest.raises(NotFoundError, match="No column 'speed'"):
        recipe.fit_batches(_in(_flights(), 50_000))
    assert not recipe.is_fitted


def test_a_recipe_remembers_the_rows_and_the_time_that_its_first_fitted_step_saw() -> None:
    frame = _flights()
    early = frame[frame["dep_delay"] < 0]
    recipe = tr.Recipe([tr.Filter("dep_delay < 0"), tr.MinMax("distance"), tr.DateParts("time_hour")]).fit(frame)
    span = (microseconds_at(early["time_hour"].min()), microseconds_at(early["time_hour"].max()))
    assert (recipe.fitted_on_.rows, recipe.fitted_on_.times) == (len(early), {"time_hour": span})
    assert tr.Recipe.from_json(json.loads(_state(recipe))).fitted_on_ == recipe.fitted_on_


def test_a_time_that_only_comes_out_is_remembered_too() -> None:
    frame = pd.DataFrame({"at": ["1970-01-01T00:00:01Z", "1970-01-01T00:00:03Z"], "delay": [1.0, 2.0]})
    recipe = tr.Recipe([tr.MinMax("delay"), tr.step(_with_times)]).fit(frame)
    assert recipe.fitted_on_.times == {"at": (1_000_000, 3_000_000)}


def _with_times(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(at=pd.to_datetime(frame["at"]))


def test_the_same_learned_from_other_rows_is_not_equal() -> None:
    once, twice = pd.DataFrame({"delay": [0.0, 4.0]}), pd.DataFrame({"delay": [0.0, 4.0, 2.0]})
    assert tr.Recipe([tr.MinMax()]).fit(once) != tr.Recipe([tr.MinMax()]).fit(twice)
