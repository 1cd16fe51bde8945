"""A small shop to make mistakes in: customers' tickets and their orders, in files and in a store."""

import contextlib
import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import treering as tr
from treering.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Sequence

    from treering.training.job import TrainingJob
    from treering.training_sets.training_set import TrainingSet

START = pd.Timestamp("2024-01-01")
SPLIT = tr.TimeSplit("2024-03-01", "2024-03-20")


@dataclass(frozen=True, slots=True)
class Shop:
    """A folder with files, and a store `shop` in it: the group `tickets`, and a view, a training set and a model called `returns`."""

    folder: Path
    tickets: pd.DataFrame
    orders: pd.DataFrame

    @classmethod
    def open(cls, folder: Path) -> "Shop":
        """Open for business in an empty folder."""
        shop = cls(folder, _tickets(), _orders())
        shop.tickets.to_csv(folder / "tickets.csv", index=False)
        shop.orders.to_csv(folder / "orders.csv", index=False)
        group = shop.store.feature_groups.create(
            "tickets", entity="customer", event_time="opened", schema=tr.Schema.of(shop.tickets, opened="Timestamp"), time_zone="UTC", available_after="1h"
        )
        group.ingest(shop.tickets, token="history")
        view = shop.store.views.create("returns", [tr.Lookup("tickets", on="customer")])
        made = shop.store.training_sets.build("returns", view, shop.labels(inputs=["amount"]), split=SPLIT)
        shop.train("returns", made, tr.Recipe([tr.OneHot("topic")]))
        return shop

    @property
    def store(self) -> tr.Store:
        """The store, opened anew."""
        return tr.Store(self.folder / "shop")

    def labels(self, orders: pd.DataFrame | None = None, *, inputs: "Sequence[str]" = ()) -> tr.Labels:
        """Say "was the order returned?" of the shop's orders, or of others."""
        return tr.Labels(self.orders if orders is None else orders, time="ordered_at", target="returned", inputs=inputs, time_zone="UTC")

    def records(self) -> tr.Records:
        """Say what the columns of tickets mean, without a store."""
        return tr.Records(self.tickets, event_time="opened", time_zone="UTC")

    def build(self, name: str, **changed: Any) -> "TrainingSet":
        """Build a training set of the shop's view."""
        return self.store.training_sets.build(name, self.store.views["returns"], **({"labels": self.labels(inputs=["amount"]), "split": SPLIT} | changed))

    def train(self, name: str, made: "TrainingSet", recipe: tr.Recipe | None = None) -> "TrainingJob":
        """Train a model and keep its output off the screen."""
        with contextlib.redirect_stdout(io.StringIO()):
            return self.store.training_jobs.run(name, made, tr.XGBoost(objective="binary:logistic", num_round=2), recipe)

    def file(self, name: str, text: str) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def types(self, line: str) -> str:
        """Type a command in the folder, and read how it refuses.

        Raises:
            AssertionError: if it does what was typed, or ends in a traceback.
        """
        screen = io.StringIO()
        code: object = None
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
            try:
                main(line.split())
            except SystemExit as ended:
                code = ended.code
        return _refused(code, screen.getvalue())

    def types_in_a_child(self, line: str, **environment: str) -> str:
        """Type a command where no other variable is set and no credentials are at home.

        Raises:
            AssertionError: as for `types`.
        """
        arguments = [sys.executable, "-c", f"from treering.cli.main import main; main({line.split()!r})"]
        ended = subprocess.run(arguments, cwd=self.folder, env={"HOME": str(self.folder), **environment}, capture_output=True, text=True)
        return _refused(ended.returncode, ended.stdout + ended.stderr)


def _refused(code: object, said: str) -> str:
    assert code in (1, 2), f"ended with {code}: {said}"
    assert "Traceback" not in said, said
    return said.strip()


def _tickets() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    opened = START + pd.to_timedelta(np.sort(rng.integers(0, 90 * 24 * 60, 400)), unit="min")
    return pd.DataFrame(
        {
            "customer": rng.choice([f"C{n:02}" for n in range(20)], 400),
            "opened": opened.strftime("%Y-%m-%d %H:%M"),
            "topic": rng.choice(["billing", "delivery"], 400),
            "waited": rng.normal(60, 20, 400).round(1),
        }
    )


def _orders() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "customer": rng.choice([f"C{n:02}" for n in range(20)], 600),
            "ordered_at": START + pd.to_timedelta(np.sort(rng.integers(24 * 60, 95 * 24 * 60, 600)), unit="min"),
            "payment": rng.choice(["card", "invoice"], 600),
            "amount": rng.gamma(2, 40, 600).round(2),
            "returned": rng.integers(0, 2, 600),
        }
    )
