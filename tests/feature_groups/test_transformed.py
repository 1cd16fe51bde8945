"""Rows that go through a recipe on their way into a group."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import treering as tr
from support.nyc_files import nyc_file, weather
from support.weather import HOUR, NAME, START, create_weather, records, rows
from treering.errors import BadRowsError, InvalidDefinitionError, NotFoundError, SchemaMismatchError, TokenReusedError
from treering.feature_groups.feature_group import FeatureGroup
from treering.feature_groups.transformed import Transformed
from treering.recipes.recipe import Recipe
from treering.schema.fitted import FittedSteps
from treering.settings import Settings
from treering.sources.source import open_source

TABLE = rows(("EWR", 0, 10.0), ("JFK", 1, None), ("LGA", 2, 30.0))
SCALED = Recipe([tr.DropMissing("temperature"), tr.MinMax("temperature")])
HEADER = "origin,observed_at,temperature\n"
FIRST_LINES = "EWR,2024-01-01T00:00:00Z,10\nJFK,2024-01-01T00:00:00Z,\n"


@pytest.fixture
def group(tmp_path: Path) -> FeatureGroup:
    return create_weather(tr.Store(tmp_path).feature_groups)


def write(path: Path, text: str) -> Path:
    path.write_text(HEADER + text)
    return path


def fitted() -> Recipe:
    return Recipe([tr.MinMax("temperature")]).fit(pd.DataFrame({"origin": ["A", "B"], "observed_at": _times(5, 6), "temperature": [0.0, 100.0]}))


def _times(*hours: int) -> "pd.Series[Any]":
    return pd.to_datetime(pd.Series([START + hour * HOUR for hour in hours]), unit="us", utc=True)


def test_a_recipe_shapes_the_rows_on_their_way_in(group: FeatureGroup):
    report = group.ingest(TABLE, recipe=SCALED)
    assert records(group) == [("EWR", 0.0, 0.0), ("LGA", 2.0, 1.0)]
    assert (report.steps, report.notes) == (
        ("DropMissing", "MinMax"),
        (
            "1 row was left out by the recipe",
            "MinMax(temperature) learned from 2 of these rows: a model tested on them will look better than it is",
        ),
    )


def test_the_recipe_that_was_given_stays_as_it_is(group: FeatureGroup):
    group.ingest(TABLE, recipe=SCALED)
    assert not SCALED.is_fitted


def test_the_fitted_recipe_is_kept_beside_the_data(group: FeatureGroup, tmp_path: Path):
    report = group.ingest(TABLE, recipe=SCALED)
    (kept,) = tmp_path.glob("feature-groups/*/recipes/*.json")
    recipe = Recipe.from_json(json.loads(kept.read_text()))
    assert recipe.is_fitted
    assert recipe.digest() == report.recipe == f"sha256:{kept.stem}"


def test_the_same_content_through_the_same_recipe_is_not_written_again(group: FeatureGroup):
    group.ingest(TABLE, recipe=SCALED)
    assert group.ingest(TABLE, recipe=Recipe(list(SCALED.steps))).reused
    assert not group.ingest(TABLE, recipe=fitted()).reused
    assert not group.ingest(TABLE).reused


def test_a_token_with_another_recipe_is_refused(group: FeatureGroup):
    group.ingest(TABLE, recipe=SCALED, token="daily")
    assert group.ingest(TABLE, recipe=SCALED, token="daily").reused
    with pytest.raises(TokenReusedError):
        group.ingest(TABLE, token="daily")


def test_what_was_learned_from_the_ingestion_itself_is_known_to_lookups(group: FeatureGroup):
    report = group.ingest(TABLE, recipe=SCALED)
    expected = FittedSteps(report.ingestion, ("MinMax(temperature)",), 2, START, START + 2 * HOUR)
    assert group.records().fitted == (expected,)
    assert tr.Store(group._shelf.objects.root).feature_groups[NAME].records().fitted == (expected,)
    assert group.records(as_of=0).fitted == ()


def test_what_was_learned_elsewhere_is_noted_with_those_rows_and_once(group: FeatureGroup):
    first = group.ingest(TABLE.slice(0, 1), recipe=fitted())
    group.ingest(TABLE.slice(2, 1), recipe=fitted())
    assert group.records().fitted == (FittedSteps(first.ingestion, ("MinMax(temperature)",), 2, START + 5 * HOUR, START + 6 * HOUR),)


def test_a_refused_ingestion_leaves_no_learned_step(group: FeatureGroup):
    with pytest.raises(BadRowsError):
        group.ingest(rows((None, 0, 1.0), ("EWR", 0, 2.0)), recipe=Recipe([tr.MinMax("temperature")]))
    assert not group._state.has_fitted_steps
    assert group.records().fitted == ()


def test_steps_that_learn_nothing_are_no_leak(group: FeatureGroup):
    group.ingest(TABLE, recipe=Recipe([tr.DropMissing("temperature")]))
    assert group.records().fitted == ()


def test_a_bad_row_after_a_recipe_is_found_by_its_line(group: FeatureGroup, tmp_path: Path):
    path = write(tmp_path / "one.csv", FIRST_LINES + ",2024-01-01T00:00:00Z,7\n")
    with pytest.raises(BadRowsError) as refusal:
        group.ingest(path, recipe=SCALED)
    assert "line 4: null identifier (origin)" in str(refusal.value)


def test_a_row_that_cannot_be_read_goes_to_quarantine_before_the_recipe(group: FeatureGroup, tmp_path: Path):
    path = write(tmp_path / "one.csv", FIRST_LINES + "EWR,2024-01-01T00:00:00Z,7,8\n")
    report = group.ingest(path, recipe=SCALED, on_bad_rows="quarantine")
    assert (report.rows, report.rejected) == (1, {"too many fields": 1})


def test_a_column_that_the_recipe_lets_through_and_the_group_does_not_know_is_named(group: FeatureGroup):
    with pytest.raises(SchemaMismatchError, match="The recipe's output has a column 'extra', which 'weather' does not have"):
        group.ingest(TABLE.append_column("extra", TABLE["origin"]), recipe=SCALED)


def words_for_heat(frame: pd.DataFrame) -> pd.DataFrame:
    hot = (frame["temperature"] > 20).any()
    return frame.assign(temperature="hot") if hot else frame


def test_a_step_whose_output_changes_its_type_is_refused(group: FeatureGroup):
    recipe = Recipe([tr.step(words_for_heat)]).fit(TABLE.slice(0, 1).to_pandas())
    stream = pa.RecordBatchReader.from_batches(TABLE.schema, TABLE.to_batches(max_chunksize=1))
    with pytest.raises(SchemaMismatchError, match="'temperature' of 'weather' is declared Fractional; the recipe's output has large_string"):
        group.ingest(stream, recipe=recipe)
    assert group.commits() == []


def test_a_list_of_steps_is_no_recipe(group: FeatureGroup):
    with pytest.raises(InvalidDefinitionError, match=re.escape("recipe=tr.Recipe([...])")):
        group.ingest(TABLE, recipe=[tr.MinMax()])  # type: ignore[arg-type]


def test_what_the_recipe_takes_away_is_missing_from_its_output(group: FeatureGroup):
    with pytest.raises(SchemaMismatchError) as refusal:
        group.ingest(TABLE, recipe=Recipe([tr.OneHot("origin")]))
    assert str(refusal.value).startswith("The recipe's output has no column 'origin' (String), which 'weather' needs. Did you mean 'origin_")


def test_a_recipe_that_names_a_column_which_the_source_lacks_is_refused(group: FeatureGroup):
    with pytest.raises(NotFoundError, match="Did you mean 'temperature'"):
        group.ingest(TABLE, recipe=Recipe([tr.MinMax("temprature")]))


def test_codes_that_look_like_numbers_stay_text_where_the_group_says_text(group: FeatureGroup, tmp_path: Path):
    group.ingest(write(tmp_path / "one.csv", "7,2024-01-01T00:00:00Z,10\n"), recipe=Recipe([tr.FillMissing("temperature", "mean")]))
    assert group.latest()["origin"].to_pylist() == ["7"]


def test_batch_by_batch_and_all_at_once_give_the_same_rows():
    source, recipe = nyc_file("weather.csv"), Recipe([tr.DropMissing("temp"), tr.MinMax("temp"), tr.LabelEncode("origin")])
    frame = weather()
    streamed = _transformed(tr.Csv(source, null_values="NA"), recipe.fit(frame))
    whole = _transformed(tr.Csv(source, null_values="NA"), Recipe(list(recipe.steps)))
    assert streamed["temp"].equals(whole["temp"])
    assert streamed["origin"].equals(whole["origin"])
    assert len(streamed) == frame["temp"].count()


def _transformed(source: Any, recipe: Recipe) -> pa.Table:
    return pa.concat_tables([batch.table for batch in Transformed(open_source(source, Settings()), recipe).batches()])


def test_a_frame_without_rows_goes_through_a_fitted_recipe(group: FeatureGroup):
    assert group.ingest(TABLE.slice(0, 0), recipe=fitted()).rows == 0


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_a_recipe_that_gives_polars_frames_elsewhere_shapes_rows_of_every_kind(group: FeatureGroup, kind: str):
    given = {"pandas": TABLE.to_pandas, "polars": lambda: pl.from_arrow(TABLE), "arrow": lambda: TABLE}[kind]()
    recipe = fitted().set_output(transform="polars")
    assert group.ingest(given, recipe=recipe).rows == 3
    assert isinstance(recipe.transform(TABLE.to_pandas()), pl.DataFrame)


def test_rows_that_a_later_step_drops_were_learned_from_too(group: FeatureGroup):
    group.ingest(TABLE, recipe=Recipe([tr.MinMax("temperature"), tr.Filter("temperature < 1")]))
    (learned,) = group.records().fitted
    assert (learned.rows, learned.first, learned.last) == (3, START, START + 2 * HOUR)


def test_what_another_process_ingested_through_fitted_steps_is_known_to_a_group_that_was_opened_before(group: FeatureGroup):
    tr.Store(group._shelf.objects.root).feature_groups[NAME].ingest(TABLE, recipe=SCALED)
    assert group.records().fitted != ()


def test_rows_of_several_files_keep_their_lines_through_a_recipe(group: FeatureGroup, tmp_path: Path):
    (tmp_path / "raw").mkdir()
    write(tmp_path / "raw" / "one.csv", FIRST_LINES)
    write(tmp_path / "raw" / "two.csv", FIRST_LINES + ",2024-01-01T00:00:00Z,7\n")
    with pytest.raises(BadRowsError, match=r"two\.csv, line 4: null identifier"):
        group.ingest(tmp_path / "raw", recipe=SCALED)


def test_whole_numbers_that_no_float_holds_go_through_a_recipe_beside_nulls(tmp_path: Path):
    table = rows(*((place, 0, None) for place in "ABC")).set_column(2, "number", pa.array([2**60 + 1, None, 3]))
    group = create_weather(tr.Store(tmp_path).feature_groups, schema=tr.Schema.of(table.schema))
    group.ingest(table, recipe=Recipe([tr.DropMissing("origin")]))
    assert group.latest()["number"].to_pylist() == [2**60 + 1, None, 3]


def test_a_stream_goes_through_a_recipe(group: FeatureGroup):
    stream = pa.RecordBatchReader.from_batches(TABLE.schema, TABLE.to_batches(max_chunksize=1))
    assert group.ingest(stream, recipe=fitted()).rows == 3
    assert [temperature for _, _, temperature in records(group)] == [0.1, None, 0.3]


def test_ingestion_through_a_recipe_works_on_any_storage(any_root: str):
    group = create_weather(tr.Store(any_root).feature_groups)
    group.ingest(TABLE, recipe=SCALED)
    assert tr.Store(any_root, read_only=True).feature_groups[NAME].records().fitted[0].rows == 2
