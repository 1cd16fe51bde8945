from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import treering as tr
from support.trained import NASTY, OUTCOMES, flights, labels, weather
from treering.errors import ColumnCollisionError, LabelsError, TrainingError
from treering.training.objectives import Kind


def test_a_model_says_what_it_answers_and_what_it_needs(trained: tr.Store) -> None:
    late, outcome = trained.models["late-1"], trained.models["outcome-1"]
    assert (late.kind, late.objective, late.target, late.classes) == (Kind.TWO_CLASSES, "binary:logistic", "late", (False, True))
    assert late.labels.inputs == ("distance", "carrier")
    assert outcome.classes == tuple(sorted(OUTCOMES))
    assert [lookup.group for lookup, _ in late.lookups] == ["weather"]
    assert "predicts 'late'" in repr(late)


def test_scores_are_what_the_training_set_s_rows_get(trained: tr.Store) -> None:
    model = trained.models["late-1"]
    kept = trained.training_sets["late-set"].to_pandas()
    scores = model.score(labels(flights(), "late"))
    assert np.array_equal(scores.to_pandas()["prediction"], model.predict(kept))
    assert scores.table.column_names == ["departs", "airport", "distance", "carrier", "late", "prediction"]
    assert [count.matched for count in scores.counts] == [600]


def test_scores_see_only_what_was_known_at_each_row_s_time(copied: tr.Store) -> None:
    before = copied.models["delay-1"].score(labels(flights(), "delay"))
    storm = pd.DataFrame({"airport": ["EWR", "JFK"], "at": pd.to_datetime(["2024-01-10T00:10Z"] * 2), "wind": [50.0, 50.0]})
    copied.feature_groups["weather"].ingest(storm)
    after = copied.models["delay-1"].score(labels(flights(), "delay"))
    differs = before.to_pandas()["prediction"] != after.to_pandas()["prediction"]
    assert differs.any()
    assert flights()["departs"][differs].min() >= pd.Timestamp("2024-01-10T00:10Z")


def test_scores_as_of_training_do_not_see_what_came_later(copied: tr.Store) -> None:
    model, asked = copied.models["delay-1"], labels(flights(), "delay")
    before = model.score(asked)
    copied.feature_groups["weather"].ingest(weather().assign(wind=99.0), rewrites_history=True)
    assert model.score(asked, as_of_training=True).to_arrow() == before.to_arrow()
    assert model.score(asked).to_arrow() != before.to_arrow()


def test_scores_are_measured_where_there_is_a_target(trained: tr.Store) -> None:
    model, rows = trained.models["late-1"], flights()
    scores = model.score(labels(rows, "late"))
    assert scores.metrics is not None
    assert scores.metrics["auc"] > 0.8
    assert "auc 0." in repr(scores)
    assert model.score(labels(rows, None)).metrics is None
    assert model.score(labels(rows.assign(late=pd.array([None] * len(rows), "boolean")), "late")).metrics is None


def test_log_odds_are_measured_as_the_chances_that_they_mean(copied: tr.Store) -> None:
    for objective in ("binary:logistic", "binary:logitraw"):
        trainer = tr.XGBoost(objective=objective, num_round=4, eval_metric="auc", base_score=0.5)
        copied.training_jobs.run(
            objective.replace(":", "-"), copied.training_sets["late-set"], trainer, tr.Recipe([tr.OneHot(("carrier",))]), echo=lambda _: None
        )
    chance, odds = (copied.models[name].score(labels(flights(), "late")).metrics for name in ("binary-logistic", "binary-logitraw"))
    assert chance is not None
    assert odds is not None
    assert odds["auc"] == pytest.approx(chance["auc"], abs=0.01)
    assert odds["logloss"] < 0.69


def test_rows_without_a_target_are_answered_and_not_measured(trained: tr.Store) -> None:
    rows = flights()
    rows["late"] = rows["late"].astype("boolean").mask(rows.index < 100)
    scores = trained.models["late-1"].score(labels(rows, "late"))
    assert scores.evaluation is not None
    assert (len(scores), scores.evaluation.rows) == (600, 500)


def test_a_target_of_another_kind_is_refused(trained: tr.Store) -> None:
    with pytest.raises(TrainingError, match="Column 'late' is text; the model was trained on boolean"):
        trained.models["late-1"].score(labels(flights().assign(late="perhaps"), "late"))


def test_a_class_that_the_model_does_not_know_is_not_measured(trained: tr.Store) -> None:
    rows = flights()
    rows.loc[:99, "outcome"] = "cancelled"
    scores = trained.models["outcome-1"].score(labels(rows, "outcome"))
    assert scores.evaluation is not None
    assert scores.evaluation.rows == 500


def test_rows_without_weight_do_not_count(trained: tr.Store) -> None:
    rows = flights().assign(weight=np.where(np.arange(600) < 300, 0.0, 2.0))
    weighted = trained.models["late-1"].score(replace(labels(rows, "late"), weight="weight"))
    half = trained.models["late-1"].score(labels(rows.iloc[300:], "late"))
    assert weighted.metrics == pytest.approx(half.metrics)
    assert weighted.evaluation is not None
    assert weighted.evaluation.rows == 300


def test_a_choice_among_classes_gives_the_class_and_a_chance_for_each(trained: tr.Store) -> None:
    frame = trained.models["outcome-1"].score(labels(flights(), "outcome")).to_pandas()
    chances = frame[[f"chance_{name}" for name in sorted(OUTCOMES)]]
    assert set(frame["prediction"]) <= set(OUTCOMES)
    assert (chances.columns[chances.to_numpy().argmax(axis=1)] == "chance_" + frame["prediction"]).all()
    assert (frame["prediction"] == frame["outcome"]).mean() > 0.7


def test_labels_without_the_models_inputs_are_refused_by_name(trained: tr.Store) -> None:
    with pytest.raises(LabelsError, match=r"do not name: carrier\. Say Labels\(\.\.\., inputs=\['distance', 'carrier'\]\)"):
        trained.models["late-1"].score(labels(flights(), None, inputs=("distance",)))


def test_a_label_column_named_like_an_answer_is_refused(trained: tr.Store) -> None:
    with pytest.raises(ColumnCollisionError, match="Rename the label column"):
        trained.models["late-1"].score(labels(flights().assign(Prediction=1.0), None))


def test_no_rows_give_no_scores(trained: tr.Store) -> None:
    scores = trained.models["outcome-1"].score(labels(flights().head(0), None))
    assert (len(scores), scores.metrics) == (0, None)
    assert f"chance_{NASTY}" in scores.table.column_names


def test_importance_is_of_the_features_that_reach_the_booster(trained: tr.Store) -> None:
    model = trained.models["delay-1"]
    gains = model.importance()
    assert next(iter(gains)) == "wind"
    assert set(gains) <= set(model.features)
    assert list(gains.values()) == sorted(gains.values(), reverse=True)
