"""Conditions and arithmetic on a frame's rows, written as text; read into an allowed few kinds of node, so that data never runs code."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from treering.errors import InvalidDefinitionError, RecipeError
from treering.recipes.columns import is_boolean, is_number, is_text, is_whole

if TYPE_CHECKING:
    import pandas as pd

MAXIMUM_CHARACTERS = 2_000
_ALLOWED_TEXT = "Allowed are column names, numbers, text, True and False; == != < <= > >=, 'in [...]' and 'not in [...]'; + - * / // % on numbers; and, or, not; parentheses."

Operation = Callable[[Any, Any], Any]
_COMPARISONS: Mapping[type[ast.cmpop], Operation] = MappingProxyType(
    {ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}
)
# No power and no text: a short expression must not ask for endless arithmetic or memory.
_ARITHMETIC: Mapping[type[ast.operator], Operation] = MappingProxyType(
    {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod}
)
_EXACT = (ast.Add, ast.Sub, ast.Mult)
_OVERFLOW = 2.0**63
_LEAST = -(2**63)
_TOO_LARGE = "a whole number outgrows 64 bits with a sign"
_CONNECTIVES: Mapping[type[ast.boolop], Operation] = MappingProxyType({ast.And: operator.and_, ast.Or: operator.or_})
_NODES = (ast.Expression, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple)
_OPERATORS = (*_COMPARISONS, *_ARITHMETIC, *_CONNECTIVES, ast.In, ast.NotIn, ast.Not, ast.USub)
_LITERALS = (str, int, float, bool)
_TEXT_TYPES = ("str", "string")

_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`([^`]+)`""")


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A condition or a calculation that was read and found to hold nothing but what is allowed.

    Attributes:
        text: as written.
        columns: the names that it uses, in order of appearance.

    >>> Expression.parse("delay > 15 and `air-time` < 60").columns
    ('delay', 'air-time')
    """

    text: str
    columns: tuple[str, ...]
    _tree: ast.expr
    _names: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> "Expression":
        """Read a condition or a calculation.

        >>> Expression.parse("__import__('os')")
        Traceback (most recent call last):
        treering.errors.InvalidDefinitionError: "__import__('os')" cannot stand in an expression (Call). Allowed are ...

        Raises:
            InvalidDefinitionError: for anything that is not allowed; the message says what is.
        """
        if not isinstance(text, str) or not text.strip():
            raise InvalidDefinitionError("An expression is missing: write one such as 'delay > 15' or 'distance / air_time'.")
        if len(text) > MAXIMUM_CHARACTERS:
            raise InvalidDefinitionError(f"The expression has {len(text)} characters; at most {MAXIMUM_CHARACTERS} are allowed.")
        plain, names = _without_backticks(text.strip())
        try:
            tree = ast.parse(plain, mode="eval").body
            _check(tree, in_list=False)
        except InvalidDefinitionError:
            raise
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise InvalidDefinitionError(f"The expression {text!r} cannot be read ({type(error).__name__}). {_ALLOWED_TEXT}") from None
        columns = tuple(dict.fromkeys(names.get(node.id, node.id) for node in _in_order(tree)))
        if not columns:
            raise InvalidDefinitionError(f"The expression {text!r} names no column. {_ALLOWED_TEXT}")
        return cls(text, columns, tree, names)

    def rows(self, frame: "pd.DataFrame") -> npt.NDArray[np.bool_]:
        """Tell of each row whether it satisfies the condition; null counts as not.

        >>> import pandas as pd
        >>> Expression.parse("not delay > 15").rows(pd.DataFrame({"delay": [10.0, 20.0, None]})).tolist()
        [True, False, False]

        Raises:
            RecipeError: for columns whose types do not fit the operators.
        """
        result: npt.NDArray[np.bool_] = self._worked_out(_condition, frame).fillna(value=False).to_numpy(dtype=bool)
        return result

    def values(self, frame: "pd.DataFrame") -> "pd.Series[Any]":
        """Work out the value of each row: a number, a boolean, or what stands in the column that is named alone.

        A null makes a number null, and a boolean unless the rest decides. What cannot be divided by zero is null, never infinite.

        >>> import pandas as pd
        >>> Expression.parse("distance / air_time").values(pd.DataFrame({"distance": [300.0, 5.0], "air_time": [60, 0]})).tolist()
        [5.0, nan]

        Raises:
            RecipeError: for columns whose types do not fit the operators, and whole numbers that outgrow 64 bits.
        """
        import pandas as pd

        values = self._worked_out(_value, frame)
        if not is_number(values.dtype) or is_whole(values.dtype):
            return values
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
        return pd.Series(np.where(np.isfinite(numbers), numbers, np.nan), index=values.index)

    def _worked_out(self, work_out: "Callable[[ast.expr, _Columns], Any]", frame: "pd.DataFrame") -> "pd.Series[Any]":
        try:
            result: pd.Series[Any] = work_out(self._tree, _Columns(frame, self._names))
        except RecipeError:
            raise
        except (TypeError, ArithmeticError, ValueError, RuntimeError) as error:
            raise RecipeError(f"{self.text!r} cannot be worked out on this frame: {error}. Mend the expression, or cast its columns first.") from None
        return result


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    frame: "pd.DataFrame"
    names: Mapping[str, str]

    def __getitem__(self, name: str) -> "pd.Series[Any]":
        return self.frame[self.names.get(name, name)]


def _without_backticks(text: str) -> tuple[str, dict[str, str]]:
    """Put a Python name in the place of every `name in backticks`."""
    names: dict[str, str] = {}

    def replaced(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group(0)
        stand_in = f"_{len(names)}_"
        while stand_in in text:
            stand_in = f"_{stand_in}"
        names[stand_in] = match.group(1)
        return stand_in

    return _QUOTED.sub(replaced, text), names


def _check(node: ast.AST, *, in_list: bool) -> None:
    if not isinstance(node, (*_NODES, *_OPERATORS)):
        raise _refused(node)
    if isinstance(node, ast.Constant) and type(node.value) not in _LITERALS:
        raise _refused(node)
    if isinstance(node, ast.List | ast.Tuple) and not in_list:
        raise _refused(node)
    if isinstance(node, ast.Compare):
        _check_compare(node)
        return
    for child in ast.iter_child_nodes(node):
        _check(child, in_list=False)


def _check_compare(node: ast.Compare) -> None:
    _check(node.left, in_list=False)
    for operation, right in zip(node.ops, node.comparators, strict=True):
        is_membership = isinstance(operation, ast.In | ast.NotIn)
        if not isinstance(operation, _OPERATORS):
            raise _refused(node, operation)
        if is_membership != isinstance(right, ast.List | ast.Tuple):
            raise _refused(node)
        _check(right, in_list=is_membership)
        if isinstance(right, ast.List | ast.Tuple) and any(isinstance(part, ast.Name | ast.Compare | ast.BoolOp) for part in ast.walk(right)):
            raise _refused(node)


def _refused(node: ast.AST, culprit: ast.AST | None = None) -> InvalidDefinitionError:
    return InvalidDefinitionError(f"{_text(node)} cannot stand in an expression ({type(culprit or node).__name__}). {_ALLOWED_TEXT}")


def _text(node: ast.AST) -> str:
    shown = ast.unparse(node) or type(node).__name__
    return repr(shown if len(shown) <= 60 else f"{shown[:57]}...")


def _in_order(tree: ast.expr) -> list[ast.Name]:
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return sorted(names, key=lambda name: (name.lineno, name.col_offset))


def _value(node: ast.expr, columns: _Columns) -> Any:
    return _VALUES[type(node)](node, columns)


def _condition(node: ast.expr, columns: _Columns) -> Any:
    """Work out a node that is true, false or null in each row, after SQL's three-valued logic."""
    import pandas as pd

    value = _value(node, columns)
    if isinstance(value, bool):
        return pd.Series(value, index=columns.frame.index, dtype="boolean")
    if not isinstance(value, pd.Series) or not is_boolean(value.dtype):
        raise RecipeError(f"{_text(node)} is no condition: compare it with something, such as {_text(node)[1:-1]} > 0.")
    return value.astype("boolean")


def _number(node: ast.expr, columns: _Columns) -> Any:
    value = _value(node, columns)
    if _kind(value) != "a number":
        raise RecipeError(f"{_text(node)} is no number, and + - * / // % take numbers only.")
    return _in_64_bits(value)


def _in_64_bits(value: Any) -> Any:
    """Give a column of whole numbers 64 bits and a sign, because others wrap around."""
    dtype = getattr(value, "dtype", None)
    if dtype is None or not is_whole(dtype):
        return value
    if isinstance(dtype, np.dtype):
        signed = "int64"
    else:
        # Arrow's own columns compare with nothing beyond 64 bits and a sign.
        value, signed = value.astype("UInt64" if dtype.kind == "u" else "Int64"), "Int64"
    if (value >= 2**63).any():
        raise OverflowError(_TOO_LARGE)
    return value.astype(signed)


def _kind(value: Any) -> str:
    """Name what a column or a literal holds; empty for what compares with text and numbers by rules of its own, such as times."""
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return {str: "text", int: "a number", float: "a number"}.get(type(value), "")
    if is_text(dtype):
        # Objects and categories may be anything.
        return "text" if getattr(dtype, "name", "") in _TEXT_TYPES else ""
    return "a number" if is_number(dtype) else ""


def _compared(node: ast.Compare, columns: _Columns) -> Any:
    results, left = [], node.left
    for operation, right in zip(node.ops, node.comparators, strict=True):
        compare = _COMPARISONS.get(type(operation))
        results.append(_member(left, operation, right, columns) if compare is None else _pair(left, compare, right, columns))
        left = right
    return reduce(operator.and_, results)


def _pair(left_node: ast.expr, compare: Operation, right_node: ast.expr, columns: _Columns) -> Any:
    import pandas as pd

    left, right = _value(left_node, columns), _value(right_node, columns)
    _require_one_kind(left_node, left, right)
    result = compare(left, right)
    return result.astype("boolean").mask(pd.isna(left) | pd.isna(right)) if isinstance(result, pd.Series) else bool(result)


def _member(left_node: ast.expr, operation: ast.cmpop, right_node: ast.expr, columns: _Columns) -> Any:
    import pandas as pd

    left, items = _value(left_node, columns), _value(right_node, columns)
    if not isinstance(left, pd.Series):
        raise RecipeError(f"{_text(left_node)} names no column: only columns can be looked for in a list.")
    for item in items:
        _require_one_kind(left_node, left, item)
    found = left.isin(items).astype("boolean").mask(left.isna())
    return ~found if isinstance(operation, ast.NotIn) else found


def _require_one_kind(node: ast.expr, left: Any, right: Any) -> None:
    kinds = (_kind(left), _kind(right))
    if "" not in kinds and kinds[0] != kinds[1]:
        raise RecipeError(f"{_text(node)} is {kinds[0]} and is compared with {kinds[1]}. Compare columns with values of their own type.")


def _connected(node: ast.BoolOp, columns: _Columns) -> Any:
    return reduce(_CONNECTIVES[type(node.op)], (_condition(part, columns) for part in node.values))


def _calculated(node: ast.BinOp, columns: _Columns) -> Any:
    left, right = _number(node.left, columns), _number(node.right, columns)
    is_division = not isinstance(node.op, _EXACT)
    result = _ARITHMETIC[type(node.op)](left, _without_zeros(left, right) if is_division else right)
    if is_whole(getattr(result, "dtype", None)):
        if is_division:
            # The one quotient that outgrows what was divided.
            _refuse_least(left, where=right == -1)
        else:
            _refuse_overflow(_ARITHMETIC[type(node.op)](_as_floats(left), _as_floats(right)))
    return result


def _without_zeros(left: Any, right: Any) -> Any:
    """Make null of the zeros of a divisor, which pandas' types treat in different ways; only in a column are they no mistake."""
    if not hasattr(right, "dtype"):
        if right == 0:
            raise ZeroDivisionError("division by zero")
        return right
    divisor = right.astype("Int64") if is_whole(right.dtype) and is_whole(getattr(left, "dtype", np.dtype(type(left)))) else right
    return divisor.mask((right == 0).fillna(value=False).astype(bool))


def _as_floats(value: Any) -> Any:
    return value.to_numpy(dtype="float64", na_value=0.0) if hasattr(value, "dtype") else float(value)


def _refuse_overflow(result: npt.NDArray[np.float64]) -> None:
    if (np.abs(result) >= _OVERFLOW).any():
        raise OverflowError(_TOO_LARGE)


def _refuse_least(values: Any, *, where: Any) -> None:
    if np.any((values == _LEAST) & where):
        raise OverflowError(_TOO_LARGE)


def _unary(node: ast.UnaryOp, columns: _Columns) -> Any:
    if isinstance(node.op, ast.Not):
        return ~_condition(node.operand, columns)
    value = _number(node.operand, columns)
    if is_whole(getattr(value, "dtype", None)):
        _refuse_least(value, where=True)
    return -value


_VALUES: Mapping[type[ast.expr], Callable[[Any, _Columns], Any]] = MappingProxyType(
    {
        ast.BoolOp: _connected,
        ast.UnaryOp: _unary,
        ast.BinOp: _calculated,
        ast.Compare: _compared,
        ast.Name: lambda node, columns: columns[node.id],
        ast.Constant: lambda node, _: node.value,
        ast.List: lambda node, columns: [_value(item, columns) for item in node.elts],
        ast.Tuple: lambda node, columns: [_value(item, columns) for item in node.elts],
    }
)
