from pathlib import Path

import pytest

from mistakes.mistakes import MISTAKES, Mistake
from support.shop import Shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder: Path = tmp_path_factory.mktemp("shop")
    return Shop.open(folder)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_answered_with_what_where_and_what_next(mistake: Mistake, shop: Shop) -> None:
    said = mistake.message(shop)
    assert [words for words in mistake.words if words not in said] == [], said


def test_every_mistake_has_a_name_of_its_own() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 20
