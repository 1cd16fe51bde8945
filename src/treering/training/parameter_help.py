"""What XGBoost can be told, as a table for people."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass

from treering.errors import InvalidDefinitionError, did_you_mean
from treering.training.objectives import METRICS, OBJECTIVES, REFUSED_OBJECTIVES
from treering.training.parameter_rules import Choice
from treering.training.parameter_table import ALIASES, PARAMETERS, REFUSED


@dataclass(frozen=True, slots=True)
class HelpRow:
    """One line of help, all text.

    Attributes:
        default: empty where there is none.
        rule: what it may be, and what it goes with.
    """

    name: str
    default: str
    rule: str
    about: str


# What the constructor takes besides XGBoost's own parameters.
_OWN = (
    HelpRow("num_round", "100", "a whole number from 1", "How many rounds to boost."),
    HelpRow("early_stopping_rounds", "", "a whole number from 1", "Stops after so many rounds without a better validation value, and keeps the best round."),
    HelpRow("eval_metric", "", "one or several metrics", "What is measured each round; the last one decides on early stopping."),
    HelpRow("class_weight", "", "'balanced', or a mapping from classes to weights", "How much the rows of each class count in training."),
)


@dataclass(frozen=True, slots=True, repr=False)
class ParameterHelp:
    """Lines of help, which print as a table.

    Attributes:
        rows: one per parameter, objective or metric.
    """

    rows: tuple[HelpRow, ...]

    @classmethod
    def of(cls, name: str | None) -> "ParameterHelp":
        """Collect the lines of one parameter, of the words of one that has many, or of all parameters.

        Raises:
            InvalidDefinitionError: for a name that is none, with the nearest one.
        """
        if name is None:
            return cls((*_OWN, *_parameters()))
        if name in _WORDS:
            return cls(tuple(_WORDS[name]()))
        name = ALIASES.get(name, name)
        found = tuple(row for row in (*_OWN, *_parameters(), *_refused()) if row.name == name)
        if not found:
            raise InvalidDefinitionError(f"XGBoost has no parameter {name!r} that treering knows. {did_you_mean(name, known_names())}")
        return cls(found)

    def __repr__(self) -> str:
        lines = [("name", "default", "rule", "about"), *(astuple(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(3)]
        padded = ("  ".join([*(text.ljust(width) for text, width in zip(line[:3], widths, strict=True)), line[3]]) for line in lines)
        return "\n".join(padded)


def known_names() -> tuple[str, ...]:
    """Every name that `XGBoost` takes."""
    return (*PARAMETERS, *ALIASES, *(row.name for row in _OWN))


def _parameters() -> Iterator[HelpRow]:
    for name, parameter in PARAMETERS.items():
        needs = "".join(f"; {_need(other, words)}" for other, words in parameter.needs.items())
        default = parameter.default
        rule = "a word of XGBoost.help('objective')" if name == "objective" else parameter.takes.rule
        yield HelpRow(name, "" if default is None else f"{default:g}" if isinstance(default, float) else str(default), f"{rule}{needs}", parameter.about)


def _need(other: str, words: tuple[str, ...]) -> str:
    choice = PARAMETERS[other].takes
    if isinstance(choice, Choice) and choice.default in words:
        return f"not with {other}={' or '.join(word for word in choice.words if word not in words)}"
    return f"with {other}={' or '.join(words)}"


def _refused() -> Iterator[HelpRow]:
    for name, reason in REFUSED.items():
        yield HelpRow(name, "", "not supported", f"{reason[0].upper()}{reason[1:]}.")


def _objectives() -> Iterator[HelpRow]:
    for name, objective in OBJECTIVES.items():
        target = "any values" if objective.kind.is_classes else objective.target.rule
        yield HelpRow(name, objective.metric, f"target: {target}", objective.about)
    for name, reason in REFUSED_OBJECTIVES.items():
        yield HelpRow(name, "", "not supported", f"{reason[0].upper()}{reason[1:]}.")


def _metrics() -> Iterator[HelpRow]:
    for name, metric in METRICS.items():
        direction = "higher is better" if metric.is_higher_better else "lower is better"
        yield HelpRow(name, "", f"{direction}; for {', '.join(metric.kinds)}", metric.about)


_WORDS = {"objective": _objectives, "eval_metric": _metrics}
