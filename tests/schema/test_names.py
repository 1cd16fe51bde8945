import pytest

from treering.errors import InvalidDefinitionError, InvalidNameError
from treering.schema.names import as_names, check_column_names, check_name, is_name


@pytest.mark.parametrize("name", ["a", "A1", "a-b_c", "a--__b", "x" * 64, "0"])
def test_a_name_by_sagemakers_rule_is_taken(name: str) -> None:
    assert check_name(name, "feature") == name


@pytest.mark.parametrize("name", ["", "_a", "a_", "-a", "a-", "a b", "a/b", "..", "a.b", "é", "a\n", "x" * 65, "a\x00b"])
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidNameError, match="feature"):
        check_name(name, "feature")


def test_a_refused_name_comes_with_one_that_would_do() -> None:
    with pytest.raises(InvalidNameError, match="Try 'wind_speed_kn'"):
        check_name("wind speed (kn)", "feature")


def test_an_index_that_pandas_wrote_is_known_by_its_name() -> None:
    with pytest.raises(InvalidNameError, match=r"leave it out with pd\.read_csv\(\.\.\., index_col=0\)"):
        check_name("Unnamed: 0", "feature")


def test_something_that_is_no_text_cannot_be_a_name() -> None:
    with pytest.raises(InvalidNameError, match="has to be text, not int"):
        check_name(7, "feature group")


@pytest.mark.parametrize("name", ["is_deleted", "write_time", "API_Invocation_Time"])
def test_sagemakers_own_columns_are_reserved(name: str) -> None:
    with pytest.raises(InvalidNameError, match="keeps a column of its own"):
        check_column_names(["a", name])


@pytest.mark.parametrize(("names", "message"), [(["a", "a"], "appears twice"), (["Temp", "temp"], "differ only by case")])
def test_names_that_readers_would_confuse_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(InvalidNameError, match=message):
        check_column_names(names)


@pytest.mark.parametrize(("name", "follows"), [("a", True), ("x y", False), ("a" + "_" * 64 + "a", False), (5, False)])
def test_a_name_can_be_asked_about(name: object, follows: bool) -> None:
    assert is_name(name) is follows


def test_one_name_is_as_good_as_a_list_of_one() -> None:
    assert as_names("id", "The entity") == as_names(["id"], "The entity") == ("id",)


@pytest.mark.parametrize("names", [None, 5, ["id", 5]])
def test_columns_are_given_by_name(names: object) -> None:
    with pytest.raises(InvalidDefinitionError, match=r"The entity is a column's name, or several; (None|5) is none"):
        as_names(names, "The entity")  # type: ignore[arg-type]
