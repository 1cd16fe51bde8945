import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import treering as tr
from support.airports import FLIGHTS, LABELS, store_with_weather
from support.looked import HOUR, START, LookedUp, build_set, flights, local_store, training_sets, with_column
from treering.errors import ColumnCollisionError, CorruptDataError, InvalidDefinitionError, LabelsError, NotFoundError, StoreFormatError
from treering.schema.view import Lookup
from treering.training_sets.receipt import About, Receipt
from treering.training_sets.splits import TimeSplit

LOOKUP = Lookup("weather", on="origin", features=["temp"])


def test_a_set_holds_the_rows_it_was_given_in_their_order(any_root: str) -> None:
    table = flights(5_000).take(np.random.default_rng(1).permutation(5_000))
    built = build_set(any_root, LookedUp(table, batch_rows=777))
    assert built.to_arrow().drop_columns(["_split"]).equals(table)
    assert built.columns == (*table.column_names, "_split")
    training_sets(any_root).get("late").verify_files()


def test_only_inputs_and_looked_up_columns_are_features(tmp_path: Path) -> None:
    built = build_set(tmp_path)
    assert built.features == ("distance", "wind", "carrier_delay")
    assert built.target == "late"


def test_each_row_keeps_the_name_of_its_split(tmp_path: Path) -> None:
    built = build_set(tmp_path, split=TimeSplit.fractions(validation=0.1, test=0.2, embargo="5h"))
    assert built.splits == {"train": 1_395, "validation": 195, "test": 400, "embargo": 10}
    assert [built.to_arrow(name).num_rows for name in built.splits] == list(built.splits.values())
    assert set(built.to_arrow("test")["_split"].to_pylist()) == {"test"}


def test_every_build_under_a_name_is_a_version_of_its_own(tmp_path: Path) -> None:
    first, second = build_set(tmp_path), build_set(tmp_path, LookedUp(flights(100)))
    sets = training_sets(tmp_path)
    assert [(s.version, s.rows) for s in sets.versions("late")] == [(1, 2_000), (2, 100)]
    assert (sets.get("late"), sets.get("late", version=1)) == (second, first)
    assert sets.list() == [second]


def test_builders_of_one_name_at_once_get_a_version_each(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as builders:
        built = list(builders.map(lambda rows: build_set(tmp_path, LookedUp(flights(rows))), range(10, 18)))
    assert sorted(one.version for one in built) == list(range(1, 9))
    assert all(training_sets(tmp_path).get("late", one.version) == one for one in built)


def test_the_files_do_not_depend_on_how_the_lookup_cut_its_batches(tmp_path: Path) -> None:
    table = flights(1_100_000)
    sets = [build_set(tmp_path / str(rows), LookedUp(table, batch_rows=rows)) for rows in (1_100_000, 99_999)]
    assert [part.rows for part in sets[0].receipt.parts] == [8 * 131_072, 1_100_000 - 8 * 131_072]
    assert (sets[0].receipt.parts, sets[0].id) == (sets[1].receipt.parts, sets[1].id)
    assert sets[1].to_arrow(columns=["at"])["at"].equals(table["at"])


def test_equal_content_has_one_id_whenever_it_is_built(tmp_path: Path) -> None:
    early, late = (training_sets(tmp_path / str(clock), clock=clock).build("late", Lookup("weather"), LookedUp(flights())) for clock in (START, START + HOUR))
    assert early.receipt.created_at != late.receipt.created_at
    assert early.id == late.id


def test_other_rows_have_another_id(tmp_path: Path) -> None:
    assert build_set(tmp_path).id != build_set(tmp_path, LookedUp(flights(seed=1))).id


def test_pages_carry_checksums_and_rows_come_in_row_groups(tmp_path: Path) -> None:
    built = build_set(tmp_path, LookedUp(flights(140_000), batch_rows=50_000))
    file = pq.ParquetFile(tmp_path / built.receipt.folder / "part-00000.parquet", page_checksum_verification=True)
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [131_072, 8_928]
    assert file.metadata.row_group(0).column(0).compression == "LZ4"


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(bytes(data))


def test_a_changed_byte_is_noticed_when_rows_are_read(tmp_path: Path) -> None:
    built = build_set(tmp_path)
    damage(tmp_path / built.receipt.folder / "part-00000.parquet")
    with pytest.raises(CorruptDataError, match=r"part-00000.parquet of training set late version 1"):
        built.to_arrow()
    with pytest.raises(CorruptDataError, match="SHA-256"):
        built.verify_files()


def test_untouched_files_verify_and_a_missing_one_is_named(tmp_path: Path) -> None:
    built = build_set(tmp_path)
    built.verify_files()
    (tmp_path / built.receipt.folder / "part-00000.parquet").unlink()
    for read in (built.verify_files, built.to_arrow):
        with pytest.raises(CorruptDataError, match="is missing"):
            read()


def test_null_targets_are_kept_and_counted(tmp_path: Path) -> None:
    table = flights(100)
    late = [None, float("nan"), *(float(value) for value in table["late"].to_pylist()[2:])]
    built = build_set(tmp_path, LookedUp(with_column(table, "late", late)))
    assert (built.rows, built.receipt.null_targets) == (100, 2)
    assert "2 rows have no target" in repr(built)


def test_labels_without_a_target_make_a_set(tmp_path: Path) -> None:
    built = build_set(tmp_path, LookedUp(flights(10), target=None))
    assert (built.target, built.receipt.null_targets) == (None, 0)


def test_a_split_without_a_row_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidDefinitionError, match=r"falls into validation\. Label times run from 2013-09-24 .* Move its boundaries"):
        build_set(tmp_path, split=TimeSplit(validation="2030-01-01"))
    assert list(tmp_path.rglob("*.*")) == []


def test_labels_without_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="no rows"):
        build_set(tmp_path, LookedUp(flights(10).slice(0, 0)))


def test_a_label_column_cannot_take_the_name_of_the_split(tmp_path: Path) -> None:
    with pytest.raises(ColumnCollisionError, match="'_split'"):
        build_set(tmp_path, LookedUp(with_column(flights(10), "_split", ["train"] * 10)))


@pytest.mark.parametrize(("arguments", "message"), [(("tain",), "Did you mean 'train'"), (("train", ["wnd"]), "Did you mean 'wind'")])
def test_an_unknown_split_or_column_is_named_with_the_nearest(tmp_path: Path, arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(NotFoundError, match=message):
        build_set(tmp_path).batches(*arguments)


def test_an_unknown_set_or_version_is_named_with_what_exists(tmp_path: Path) -> None:
    build_set(tmp_path, name="late-arrivals")
    sets = training_sets(tmp_path)
    with pytest.raises(NotFoundError, match="Did you mean 'late-arrivals'"):
        sets.get("late-arivals")
    with pytest.raises(NotFoundError, match="versions are 1 to 1"):
        sets.get("late-arrivals", version=2)


def test_a_split_without_rows_in_the_read_columns_keeps_their_types(tmp_path: Path) -> None:
    built = build_set(tmp_path, split=TimeSplit.fractions(test=0.5))
    table = built.to_arrow("test", columns=["wind", "at"])
    assert (table.column_names, table.schema.field("at").type) == (["wind", "at"], pa.timestamp("us", tz="UTC"))


def test_the_receipt_names_the_view_and_the_commits(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    store.views.create("sky", Lookup("weather", on="origin", features=["sky"]))
    receipt = store.training_sets.build("late", "sky", LABELS).receipt
    assert (receipt.view["name"], receipt.provenance["lookups"][0]["commit"]) == ("sky", 1)
    assert list(receipt.provenance["groups"]) == ["weather"]
    assert (receipt.counts[0]["group"], receipt.counts[0]["rows"]) == ("weather", 3)
    assert receipt.columns["sky"] == "string"


def test_a_view_can_be_named_and_a_mistyped_name_is_told_the_nearest(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    view = store.views.create("late_arrivals", LOOKUP)
    assert store.training_sets.build("late", "late_arrivals", LABELS) == store.training_sets.build("late", view, LABELS)
    with pytest.raises(NotFoundError, match=r"No view 'late_arivals'.*Did you mean 'late_arrivals'"):
        store.training_sets.build("late", "late_arivals", LABELS)


def test_a_bare_frame_is_told_that_labels_need_a_time(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    with pytest.raises(LabelsError, match=r"tr\.Labels\(rows, time=\.\.\.\), and not a DataFrame"):
        store.training_sets.build("late", LOOKUP, FLIGHTS)


def test_what_people_say_of_a_set_is_kept_and_shown_and_changes_no_id(tmp_path: Path) -> None:
    said = {"description": "Late by 15 minutes", "tags": {"team": "ops"}, "owner": "ana"}
    sets = store_with_weather(tmp_path)[0].training_sets
    plain, about = sets.build("late", LOOKUP, LABELS), sets.build("late", LOOKUP, LABELS, **said)
    assert (about.version, about.id) == (2, plain.id)
    assert sets["late"].about == About(**said)
    assert "about       Late by 15 minutes\n  owner       ana\n  tags        team=ops" in repr(about)


def test_warnings_are_kept_and_shown_and_change_no_id(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    rows = pd.concat([FLIGHTS] * 100, ignore_index=True)
    split = TimeSplit(test="2013-01-01T12:00Z")
    one, other = (
        store.training_sets.build("late", LOOKUP, tr.Labels(rows.assign(plane="N1"), time="departs", keys=keys), split=split) for keys in ((), "plane")
    )
    assert (one.warnings, len(other.warnings)) == ((), 1)
    assert other.receipt.content["parts"] == one.receipt.content["parts"]
    assert f"  warning     {other.warnings[0]}" in repr(store.training_sets["late"])


def test_a_receipt_survives_json(tmp_path: Path) -> None:
    receipt = build_set(tmp_path, split=TimeSplit.fractions(test=0.5)).receipt
    assert Receipt.from_json(json.loads(json.dumps(receipt.to_json()))) == receipt


def test_a_receipt_that_was_changed_is_refused(tmp_path: Path) -> None:
    value = build_set(tmp_path).receipt.to_json()
    value["content"]["provenance"] = {"groups": {"weather": {"commit": 8}}}
    with pytest.raises(StoreFormatError, match="it was changed"):
        Receipt.from_json(value)


def test_the_document_of_a_version_has_its_number(tmp_path: Path) -> None:
    built = build_set(tmp_path)
    document = local_store(tmp_path)[1].current("training-sets", "late")
    assert document is not None
    assert (document.number, document.value["id"]) == (built.version, built.id)


def test_a_set_shows_its_rows_roles_and_splits(tmp_path: Path) -> None:
    shown = repr(build_set(tmp_path, split=TimeSplit.fractions(test=0.5)))
    assert shown.startswith("TrainingSet 'late' version 1: 2,000 rows, 7 columns\n  train       1,000 rows from 2013-09-24 05:20:00Z to")
    assert "features    wind, carrier_delay" in shown


def test_one_version_is_found_without_reading_the_others(tmp_path: Path) -> None:
    for rows in (10, 20, 30):
        build_set(tmp_path, LookedUp(flights(rows)))
    damaged = next(tmp_path.rglob("training-sets/late/00000001.json"))
    damaged.chmod(0o644)
    damaged.write_text("{")
    sets = training_sets(tmp_path)
    assert (sets.get("late").rows, sets.get("late", version=2).rows) == (30, 20)
    with pytest.raises(CorruptDataError):
        sets.get("late", version=1)
    with pytest.raises(NotFoundError, match="has no version 0; its versions are 1 to 3"):
        sets.get("late", version=0)
    with pytest.raises(NotFoundError, match="has no version '2'; its versions are 1 to 3"):
        sets.get("late", version="2")
