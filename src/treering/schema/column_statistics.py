"""What is known of one column without reading it: a value that adds up over commits, exactly where it can."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from treering.schema.types import FeatureType

POINTS = 101
BINS = 20
TOP_VALUES = 20
_SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

Number = int | float
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values lie where.

    Attributes:
        edges: of the bins, ascending; a bin holds its lower edge, and the last bin both.
        counts: one for each bin.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, places: Iterable[tuple[Floats, Floats]], edges: Floats) -> "Histogram":
        """Count into new bins what is given as running counts: how many values lie below each of some ascending places.

        >>> Histogram.of([(np.array([0.0, 1.0]), np.array([0.0, 4.0]))], np.array([0.0, 0.5, 1.0]))
        Histogram(edges=(0.0, 0.5, 1.0), counts=(2, 2))
        """
        running = np.zeros(len(edges))
        for place, below in places:
            found = np.interp(edges, place, below)
            found[0], found[-1] = 0, below[-1]
            running += found
        return cls(tuple(edges.tolist()), tuple(np.diff(np.rint(running)).astype(int).tolist()))


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """What is known of one column. Counts and extremes are exact, mean and deviation as exact as floats are; the others are estimates where there are many rows.

    Attributes:
        type: the feature's, as `Fractional`.
        count: values that are not null.
        nulls: nulls, NaN among them.
        infinite: how many of the values are infinite; extremes, quantiles and histogram leave them out, and there is no mean beside them.
        minimum, maximum: of numbers, and of times in microseconds since 1970 UTC; None for other types, and without values.
        mean: of numbers.
        deviation: the standard deviation of numbers, with n - 1 as pandas has it; None for fewer than two values.
        points: ascending values in equal steps of the column's order, from which `quantile` reads; every value where there are few.
        top_values: the commonest values and how often each occurs, the commonest first; long text is shortened.
        histogram: of numbers and times.
    """

    type: FeatureType
    count: int
    nulls: int
    infinite: int = 0
    minimum: Number | None = None
    maximum: Number | None = None
    mean: float | None = None
    deviation: float | None = None
    points: tuple[Number, ...] = ()
    top_values: tuple[tuple[Any, int], ...] = ()
    histogram: Histogram | None = None

    @property
    def finite(self) -> int:
        """How many values are neither null nor infinite."""
        return self.count - self.infinite

    @property
    def null_share(self) -> float:
        """The part of the rows that are null, from 0 to 1; 0 without rows."""
        rows = self.count + self.nulls
        return self.nulls / rows if rows else 0.0

    @property
    def quantiles(self) -> dict[float, Number]:
        """The values below which 1, 5, 25, 50, 75, 95 and 99 % of the column lie; empty where there is no order to speak of."""
        found = ((share, self.quantile(share)) for share in _SHARES)
        return {share: value for share, value in found if value is not None}

    def quantile(self, share: float) -> Number | None:
        """Find the value below which a share of the column lies, between two of them where it must be; None where there is no order to speak of.

        >>> ColumnStatistics(FeatureType.INTEGRAL, count=4, nulls=0, points=(1, 2, 3, 4)).quantile(0.5)
        2.5
        """
        if not self.points:
            return None
        place = share * (len(self.points) - 1)
        low = self.points[int(place)]
        high = self.points[math.ceil(place)]
        part = place - int(place)
        step = (high - low) * part
        value = low + step if math.isfinite(step) else low * (1 - part) + high * part
        return round(value) if self.type is FeatureType.TIMESTAMP else value

    @classmethod
    def sum_of(cls, parts: "Sequence[ColumnStatistics]") -> "ColumnStatistics":
        """Add up the statistics of one column in several commits; there is at least one."""
        given = [part for part in parts if part.finite]
        mean, deviation = _moments([part for part in parts if part.count])
        lows, highs = ([getattr(part, name) for part in given if getattr(part, name) is not None] for name in ("minimum", "maximum"))
        low, high = min(lows, default=None), max(highs, default=None)
        return cls(
            type=parts[0].type,
            count=sum(part.count for part in parts),
            nulls=sum(part.nulls for part in parts),
            infinite=sum(part.infinite for part in parts),
            minimum=low,
            maximum=high,
            mean=mean,
            deviation=deviation,
            points=points_of([(part.points, part.finite / len(part.points)) for part in given if part.points], whole=parts[0].type is FeatureType.TIMESTAMP),
            top_values=top_values(pair for part in parts for pair in part.top_values),
            histogram=_histogram([part.histogram for part in given if part.histogram], low, high, parts[0].type),
        )

    def to_json(self) -> dict[str, Any]:
        """Write the statistics as what `json.dumps` takes; `from_json` reads them."""
        return {name: value for name, value in asdict(self).items() if value not in (None, ())}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "ColumnStatistics":
        """Read what `to_json` wrote."""
        histogram = value.get("histogram")
        changed = {
            "type": FeatureType(value["type"]),
            "points": tuple(value.get("points", ())),
            "top_values": tuple((item, count) for item, count in value.get("top_values", ())),
            "histogram": Histogram(tuple(histogram["edges"]), tuple(histogram["counts"])) if histogram else None,
        }
        return cls(**{**value, **changed})


def points_of(given: "Sequence[tuple[Sequence[Number], float]]", *, whole: bool) -> tuple[Number, ...]:
    """Choose at most 101 values in equal steps of the order that values have together.

    Args:
        given: values, and how many values of the column each of them stands for.
        whole: whether the answer is whole numbers, as times are.

    >>> points_of([((1.0, 3.0), 1.0), ((2.0,), 1.0)], whole=False)
    (1.0, 2.0, 3.0)
    """
    weights = np.concatenate([np.empty(0), *(np.full(len(values), weight) for values, weight in given)])
    if len(weights) <= POINTS and (weights == 1).all():
        return tuple(sorted(value for values, _ in given for value in values))
    # Times in microseconds have more digits than a float; their distances from the first do not.
    base = min(value for values, _ in given for value in values) if whole else 0
    values = np.concatenate([np.asarray(values) - base for values, _ in given]).astype(np.float64)
    order = np.argsort(values, kind="stable")
    running = np.cumsum(weights[order]) - weights[order] / 2
    shares = (running - running[0]) / max(running[-1] - running[0], 1e-300)
    with np.errstate(all="ignore"):
        points = np.interp(np.linspace(0, 1, POINTS), shares, values[order])
    if not np.isfinite(points).all():
        return ()
    return tuple(base + round(point) for point in points.tolist()) if whole else tuple(points.tolist())


def edges_between(low: Number, high: Number, *, whole: bool) -> Floats | None:
    """Choose the edges of a histogram's bins: at most 20, of equal width; None where the range is more than a float holds.

    Args:
        low, high: the least and the greatest value.
        whole: whether the values are whole numbers, of which every bin then takes as many.

    >>> edges_between(1, 12, whole=True).tolist()[-3:]
    [11.0, 12.0, 13.0]
    """
    if not math.isfinite(float(high) - float(low)):
        return None
    if whole:
        numbers = int(high) - int(low) + 1
        width = -(-numbers // BINS)
        return np.asarray(float(low) + float(width) * np.arange(-(-numbers // width) + 1), dtype=np.float64)
    return np.linspace(float(low), float(high), BINS + 1) if high > low else np.array([float(low), float(high)])


def top_values(counted: Iterable[tuple[Any, int]]) -> tuple[tuple[Any, int], ...]:
    """Choose the commonest of values that are counted, perhaps in parts.

    >>> top_values([("EWR", 2), ("JFK", 3), ("EWR", 2)])
    (('EWR', 4), ('JFK', 3))
    """
    totals: dict[Any, int] = {}
    for value, count in counted:
        totals[value] = totals.get(value, 0) + count
    return tuple(sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))[:TOP_VALUES])


def deviation_of(squares: float, count: int) -> float | None:
    """The standard deviation of `count` values whose distances from their mean have these squares in all; None where there is none."""
    return math.sqrt(squares / (count - 1)) if count > 1 and math.isfinite(squares) else None


def _moments(parts: Sequence[ColumnStatistics]) -> tuple[float | None, float | None]:
    """Mean and deviation of parts together: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979."""
    means = [part.mean for part in parts if part.mean is not None]
    count = sum(part.count for part in parts)
    if not parts or len(means) < len(parts):
        return None, None
    # Against the first mean, since far from zero a mean has no digits left for what parts the others from it.
    steps = [one - means[0] for one in means]
    if not all(map(math.isfinite, steps)):
        return None, None
    step = math.fsum(one * (part.count / count) for one, part in zip(steps, parts, strict=True))
    mean = means[0] + step
    if any(part.deviation is None and part.count > 1 for part in parts):
        return mean, None
    deviations = [part.deviation or 0.0 for part in parts]
    within = sum(one * one * (part.count - 1) for one, part in zip(deviations, parts, strict=True))
    between = sum((one - step) * (one - step) * part.count for one, part in zip(steps, parts, strict=True))
    return mean, deviation_of(within + between, count)


def _histogram(parts: Sequence[Histogram], low: Number | None, high: Number | None, type: FeatureType) -> Histogram | None:
    edges = None if low is None or high is None else edges_between(low, high, whole=type is FeatureType.INTEGRAL)
    if edges is None or not parts:
        return None
    places = [(np.asarray(part.edges), np.concatenate([[0.0], np.cumsum(part.counts, dtype=np.float64)])) for part in parts]
    return Histogram.of(places, edges)
