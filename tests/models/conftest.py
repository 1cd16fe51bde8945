"""One store with three trained models for all tests of this folder; a test that writes takes a copy."""

import shutil
from pathlib import Path

import pytest

import treering as tr
from support.trained import make_store


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tr.Store:
    return make_store(tmp_path_factory.mktemp("trained") / "store")


@pytest.fixture
def copied(trained: tr.Store, tmp_path: Path) -> tr.Store:
    shutil.copytree(trained.root, tmp_path / "copy")
    store = tr.Store(tmp_path / "copy")
    store.relocate()
    return store
