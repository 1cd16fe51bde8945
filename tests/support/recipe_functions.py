"""Functions that tests use as steps of their own; two have one name and different sources."""

from types import SimpleNamespace

import pandas as pd


def with_speed(frame: pd.DataFrame, per_hour: int = 60) -> pd.DataFrame:
    return frame.assign(speed=frame["distance"] / frame["air_time"] * per_hour)


def _edited() -> SimpleNamespace:
    def with_speed(frame: pd.DataFrame, per_hour: int = 60) -> pd.DataFrame:
        return frame.assign(speed=frame["distance"] / frame["air_time"] / per_hour)

    return SimpleNamespace(with_speed=with_speed)


edited = _edited()


def without_a_row(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[1:]


def in_place(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[:, "distance"] = 0.0
    return frame


def forgetful(frame: pd.DataFrame) -> None:
    frame["speed"] = 1.0


def changeable(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{f"rows_{len(frame)}": 1})
