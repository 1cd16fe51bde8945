"""The mistakes that people make on the way to a model, and what they are told. `python tests/mistakes/mistakes.py` prints every message."""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import treering as tr
from treering.errors import TreeringError

if __name__ == "__main__":
    # As pytest's `pythonpath` does.
    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.shop import SPLIT, Shop


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something that a person does, and the words without which it could not be mended.

    Attributes:
        name: what goes wrong.
        make: does it, in a shop. It raises; or it returns what was printed instead, if it is a command or only warned of.
        words: what the message has to say: what, where, what next.
    """

    name: str
    make: Callable[[Shop], object]
    words: tuple[str, ...]

    def message(self, shop: Shop) -> str:
        """Make the mistake, and read what a person would."""
        try:
            said = self.make(shop)
        except TreeringError as error:
            return f"{type(error).__name__}: {error}"
        assert isinstance(said, str), f"Nobody minded: {said!r}"
        return said


MISTAKES: list[Mistake] = []


def _mistake(name: str, *words: str) -> Callable[[Callable[[Shop], object]], Callable[[Shop], object]]:
    def listed(make: Callable[[Shop], object]) -> Callable[[Shop], object]:
        MISTAKES.append(Mistake(name, make, words))
        return make

    return listed


def _look_up(shop: Shop, labels: object = None, lookup: object = None, **records: object) -> object:
    asked = lookup or tr.Lookup("tickets", on="customer")
    of = {"event_time": "opened", "time_zone": "UTC"} | records
    return tr.lookup(shop.labels() if labels is None else labels, asked, {"tickets": tr.Records(of.pop("source", shop.tickets), **of)})


@_mistake("label times without a zone", "'ordered_at' holds times without a zone", "time_zone='UTC'")
def _(shop: Shop) -> object:
    return _look_up(shop, tr.Labels(shop.orders, time="ordered_at"))


@_mistake("record times without a zone", "'opened' holds times without a zone", "time_zone='UTC'")
def _(shop: Shop) -> object:
    return _look_up(shop, time_zone=None)


@_mistake("times written as 31.01.2024 17:30", "'31.01.2024 17:30'", "2013-02-01T10:00Z", "format=")
def _(shop: Shop) -> object:
    return _look_up(shop, shop.labels(shop.orders.assign(ordered_at=shop.orders["ordered_at"].dt.strftime("31.01.%Y 17:30"))))


@_mistake("a label time that is missing", "2 of 600 label rows have no time in 'ordered_at'", "row 3", "Drop these rows")
def _(shop: Shop) -> object:
    return _look_up(shop, shop.labels(shop.orders.assign(ordered_at=shop.orders["ordered_at"].where(~shop.orders.index.isin([3, 5])))))


@_mistake(
    "label times in the hour that summer time leaves out", "row 0: local time that does not exist", "tr.TimeZone('Europe/Berlin'", "nonexistent='earliest'"
)
def _(shop: Shop) -> object:
    orders = shop.orders.head(1).assign(ordered_at=pd.to_datetime(["2024-03-31 02:30"]))
    return _look_up(shop, tr.Labels(orders, time="ordered_at", time_zone="Europe/Berlin"))


@_mistake("a time column mistyped", "No column 'orderd_at' in the labels", "Did you mean 'ordered_at'?")
def _(shop: Shop) -> object:
    return _look_up(shop, tr.Labels(shop.orders, time="orderd_at", time_zone="UTC"))


@_mistake("a key column mistyped", "No column 'custmer' in the labels", "Did you mean 'customer'?")
def _(shop: Shop) -> object:
    return _look_up(shop, lookup=tr.Lookup("tickets", on="custmer"), entity="customer")


@_mistake("a key that has another name in the records", "Which columns of 'tickets' are its key?", "'buyer'", "entity=", "customer, opened")
def _(shop: Shop) -> object:
    return _look_up(shop, shop.labels(shop.orders.rename(columns={"customer": "buyer"})), tr.Lookup("tickets", on="buyer"))


@_mistake("`on` given as a mapping", "on=['buyer']", "entity")
def _(shop: Shop) -> object:
    return tr.Lookup("tickets", on={"buyer": "customer"})


@_mistake("a feature mistyped", "No column 'wated' in source 'tickets'", "Did you mean 'waited'?")
def _(shop: Shop) -> object:
    return _look_up(shop, lookup=tr.Lookup("tickets", on="customer", features=["wated"]))


@_mistake("a source mistyped", "No source 'ticket' in the sources", "Did you mean 'tickets'?")
def _(shop: Shop) -> object:
    return _look_up(shop, lookup=tr.Lookup("ticket", on="customer"))


@_mistake("a bare frame instead of labels", "tr.Labels(rows, time=...)", "DataFrame")
def _(shop: Shop) -> object:
    return _look_up(shop, shop.orders)


@_mistake("a bare name instead of a lookup", "tr.Lookup('tickets')")
def _(shop: Shop) -> object:
    return tr.lookup(shop.labels(), ["tickets"], {"tickets": shop.records()})


@_mistake("two lookups with a column of the same name", "'waited'", "'tickets'", "prefix=")
def _(shop: Shop) -> object:
    lookups = [tr.Lookup("tickets", on="customer", features=["waited"]), tr.Lookup("tickets", on="customer", features=["waited"], max_age="30d")]
    return tr.lookup(shop.labels(), lookups, {"tickets": shop.records()})


@_mistake("max_age shorter than the delay of availability", "'tickets'", "max_age is 30min", "1h after the event", "longer max_age")
def _(shop: Shop) -> object:
    return _look_up(shop, lookup=tr.Lookup("tickets", on="customer", max_age="30min"), available_after="1h")


@_mistake("dates as event times, and no word on what they mean", "'opened' holds dates", "date_means='end_of_day'", "time_zone='UTC'")
def _(shop: Shop) -> object:
    return _look_up(shop, source=shop.tickets.assign(opened=pd.to_datetime(shop.tickets["opened"]).dt.date), time_zone=None)


@_mistake("a key that is a number here and a text there", "'customer' is int64", "holds text", ".astype('string')")
def _(shop: Shop) -> object:
    return _look_up(shop, shop.labels(shop.orders.assign(customer=range(600))))


@_mistake("the target among the inputs", "'returned' cannot be an input", "target")
def _(shop: Shop) -> object:
    return shop.build("leaky", labels=shop.labels(inputs=["returned"]))


@_mistake("a group mistyped", "No feature group 'ticktes'", "Did you mean 'tickets'?")
def _(shop: Shop) -> object:
    return shop.store.feature_groups["ticktes"]


@_mistake("a store path mistyped", "shpo", "no treering store", "treering init")
def _(shop: Shop) -> object:
    return shop.types("group ls --store shpo")


@_mistake("a file mistyped", "tickts.csv", "Did you mean 'tickets.csv'?")
def _(shop: Shop) -> object:
    return shop.store.feature_groups["tickets"].ingest(shop.folder / "tickts.csv")


@_mistake("NA in a column of numbers", "line 3", "waited: 'NA'", "null_values=('', 'NA')")
def _(shop: Shop) -> object:
    path = shop.file("na.csv", "customer,opened,topic,waited\nC01,2024-04-01 10:00,billing,1.5\nC01,2024-04-01 11:00,billing,NA\n")
    return shop.store.feature_groups["tickets"].ingest(path)


@_mistake("the wrong delimiter", "semicolons.csv", "delimiter=';'")
def _(shop: Shop) -> object:
    path = shop.file("semicolons.csv", "customer;opened;topic;waited\nC01;2024-04-01 10:00;billing;1.5\n")
    return shop.store.feature_groups["tickets"].ingest(path)


@_mistake("a line with a field too many", "broken.csv", "line 3", "too many fields", "nothing was written")
def _(shop: Shop) -> object:
    path = shop.file("broken.csv", "customer,opened,topic,waited\nC01,2024-04-01 10:00,billing,1.5\nC01,2024-04-01 11:00,bil,ling,2\n")
    return shop.store.feature_groups["tickets"].ingest(path)


@_mistake("an index written as a column", "Column 1 of ", "indexed.csv has no name", "index=False")
def _(shop: Shop) -> object:
    shop.tickets.to_csv(shop.folder / "indexed.csv")
    return tr.schema_of(shop.folder / "indexed.csv")


@_mistake("an index read back as a column", "'Unnamed: 0'", "index_col=0")
def _(shop: Shop) -> object:
    return tr.Schema.of(shop.tickets.assign(**{"Unnamed: 0": 1}))


@_mistake("a column name with a space", "'minutes waited'", "'minutes_waited'", "Rename the column")
def _(shop: Shop) -> object:
    return tr.Schema.of(shop.tickets.rename(columns={"waited": "minutes waited"}))


@_mistake("another group's file", "no column 'opened'", "'tickets' needs")
def _(shop: Shop) -> object:
    return shop.store.feature_groups["tickets"].ingest(shop.folder / "orders.csv")


@_mistake("local times into a group that was made without a zone", "'opened' holds times without a zone", "time_zone='UTC'")
def _(shop: Shop) -> object:
    schema = tr.Schema.of(shop.tickets, opened="Timestamp")
    return shop.store.feature_groups.create("zoneless", entity="customer", event_time="opened", schema=schema).ingest(shop.tickets)


@_mistake("a group made again, with another definition", "a feature group 'tickets' already", "store.feature_groups['tickets']", "drop")
def _(shop: Shop) -> object:
    return shop.store.feature_groups.create("tickets", entity="topic", event_time="opened", schema=tr.schema_of(shop.folder / "tickets.csv"), time_zone="UTC")


@_mistake("dropping without a confirmation", "returns", "confirm='tickets'")
def _(shop: Shop) -> object:
    return shop.store.feature_groups.drop("tickets")


@_mistake("a token used for other content", "'history'", "a token of its own")
def _(shop: Shop) -> object:
    return shop.store.feature_groups["tickets"].ingest(shop.tickets.head(3), token="history")


@_mistake("S3 without credentials", "no AWS credentials", "AWS_ACCESS_KEY_ID", "AWS_PROFILE")
def _(shop: Shop) -> object:
    return shop.types_in_a_child("group ls --store s3://nobody/shop", AWS_EC2_METADATA_DISABLED="true")


@_mistake("a scaler fitted before ingestion, also on the test period", "'scaled'", "Standard", "had learned from", "in the recipe of the training job instead")
def _(shop: Shop) -> object:
    store = shop.store
    schema = tr.Schema.of(shop.tickets, opened="Timestamp")
    group = store.feature_groups.create("scaled", entity="customer", event_time="opened", schema=schema, time_zone="UTC")
    group.ingest(shop.tickets, recipe=tr.Recipe([tr.Standard("waited")]))
    return " ".join(shop.store.training_sets.build("scaled", [tr.Lookup("scaled", on="customer")], shop.labels(), split=SPLIT).warnings)


@_mistake("keys that are written otherwise in the labels", "None of 600 rows", "'tickets'", "has no record", "Compare the keys")
def _(shop: Shop) -> object:
    return " ".join(shop.build("lower", labels=shop.labels(shop.orders.assign(customer=shop.orders["customer"].str.lower()))).warnings)


@_mistake("a split boundary outside of the data", "2025-01-01", "2024-04-0")
def _(shop: Shop) -> object:
    return shop.build("late", split=tr.TimeSplit("2024-03-01", "2025-01-01"))


@_mistake("split boundaries the wrong way round", "Validation starts at 2024-03-20", "test at 2024-03-01", "Move them apart")
def _(shop: Shop) -> object:
    return tr.TimeSplit("2024-03-20", "2024-03-01")


@_mistake("a view mistyped", "No view 'retruns'", "Did you mean 'returns'?")
def _(shop: Shop) -> object:
    return shop.store.views["retruns"]


@_mistake("a training set mistyped", "No training set 'return'", "Did you mean 'returns'?")
def _(shop: Shop) -> object:
    return shop.store.training_sets["return"]


@_mistake("a job mistyped", "No training job 'retuns'", "Did you mean 'returns'?")
def _(shop: Shop) -> object:
    return shop.store.training_jobs["retuns"]


@_mistake("a model mistyped", "'retuns'", "Did you mean 'returns'?")
def _(shop: Shop) -> object:
    return shop.store.models.load("retuns")


@_mistake("a text column for XGBoost", "'topic' holds text", "OneHot", "recipe")
def _(shop: Shop) -> object:
    return shop.train("text", shop.store.training_sets["returns"])


@_mistake("targets that are null", "'null-target'", "1 in train", "drop_null_targets=True")
def _(shop: Shop) -> object:
    orders = shop.orders.assign(returned=shop.orders["returned"].where(shop.orders.index != 7))
    return shop.train("null-target", shop.build("null-target", labels=shop.labels(orders, inputs=["amount"])), tr.Recipe([tr.OneHot("topic")]))


@_mistake("labels without a target", "'no-target' has no target", "labels with target=")
def _(shop: Shop) -> object:
    labels = tr.Labels(shop.orders, time="ordered_at", inputs=["amount"], time_zone="UTC")
    return shop.train("no-target", shop.build("no-target", labels=labels), tr.Recipe([tr.OneHot("topic")]))


@_mistake("a training recipe that drops rows", "step 1, DropMissing", "drops rows", "group.ingest(source, recipe=...)")
def _(shop: Shop) -> object:
    return shop.train("drops", shop.store.training_sets["returns"], tr.Recipe([tr.DropMissing("waited"), tr.OneHot("topic")]))


@_mistake("a recipe that names a column that is not there", "'waitd'", "Did you mean 'waited'?")
def _(shop: Shop) -> object:
    return shop.train("no-column", shop.store.training_sets["returns"], tr.Recipe([tr.Standard("waitd"), tr.OneHot("topic")]))


@_mistake("a lambda in a recipe", "lambda", "`def`", "in a file")
def _(shop: Shop) -> object:
    return tr.Recipe([tr.step(lambda frame: frame)]).to_json()


@_mistake("a function of a notebook in a recipe", "'doubled'", "Define it in a file, and import it")
def _(shop: Shop) -> object:
    notebook: dict[str, object] = {"__name__": "__main__"}
    exec("def doubled(frame):\n    return frame\n", notebook)
    return shop.train("notebook", shop.store.training_sets["returns"], tr.Recipe([tr.step(notebook["doubled"]), tr.OneHot("topic")]))


@_mistake("a job's name used twice", "a training job 'returns' already", "Choose another")
def _(shop: Shop) -> object:
    return shop.train("returns", shop.store.training_sets["returns"], tr.Recipe([tr.OneHot("topic")]))


@_mistake("a parameter mistyped", "'max_dept'", "Did you mean 'max_depth'?")
def _(shop: Shop) -> object:
    return tr.XGBoost(objective="binary:logistic", max_dept=3)


@_mistake("predicting with a column missing", "No column 'waited' in the rows given to the model", "score(")
def _(shop: Shop) -> object:
    return shop.store.models.load("returns").predict(shop.orders[["amount"]].assign(topic="billing"))


@_mistake("scoring without an input", "'amount'", "inputs=")
def _(shop: Shop) -> object:
    return shop.store.models.load("returns").score(shop.labels())


_TYPED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("a command mistyped", "group creat tickets", ("No such command 'creat'", "create")),
    ("an option mistyped", "group ingest tickets tickets.csv --nul NA --store shop", ("No such option: --nul", "--null")),
    ("--param out of range", "train out -t returns -p objective=binary:logistic -p eta=3 --store shop", ("'eta' is 3", "from 0 up to 1")),
    ("--param mistyped", "train out -t returns -p etta=0.3 --store shop", ("'etta'", "Did you mean 'eta'?")),
    ("--param without a value", "train out -t returns -p eta --store shop", ("'eta'", "NAME=VALUE")),
    ("--training-set mistyped", "train out -t retruns -p objective=binary:logistic --store shop", ("No training set 'retruns'", "Did you mean 'returns'?")),
    (
        "a kind of --split mistyped",
        "training-set build out --view returns --labels orders.csv --time ordered_at --time-zone UTC --split tme:test=2024-03-01 --store shop",
        ("There is no split 'tme'", "Did you mean 'time'?"),
    ),
    (
        "an option of --split mistyped",
        "training-set build out --view returns --labels orders.csv --time ordered_at --time-zone UTC --split time:tset=2024-03-01 --store shop",
        ("There is no option 'tset'", "Did you mean 'test'?"),
    ),
    (
        "an option of --lookup mistyped",
        "view create out -l tickets:on=customer:maxage=6h --store shop",
        ("There is no option 'maxage'", "Did you mean 'max_age'?"),
    ),
    (
        "--from without key and time",
        "lookup orders.csv --time ordered_at --time-zone UTC --from tickets.csv",
        ("'tickets.csv' cannot be read", "FILE:ENTITY:TIME"),
    ),
    ("--from with local times", "lookup orders.csv --time ordered_at --from tickets.csv:customer:opened", ("'ordered_at'", "--time-zone UTC")),
    ("rows without --time", "lookup orders.csv --view returns --store shop", ("--time", "--at")),
    (
        "a group made again by a command",
        "group create tickets --like tickets.csv --entity customer --event-time opened --store shop",
        ("'tickets' already", "treering group show tickets"),
    ),
    (
        "a group made without an event time",
        "group create clockless --like tickets.csv --entity customer --store shop",
        ("--event-time COLUMN", "opened", "--static"),
    ),
    ("a project file mistyped", "run projct.toml", ("projct.toml",)),
)
MISTAKES += [Mistake(name, lambda shop, line=line: shop.types(line), words) for name, line, words in _TYPED]


def print_all() -> None:
    """Make every mistake, and print what is said of it."""
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop.open(Path(folder))
        for number, mistake in enumerate(MISTAKES, start=1):
            sys.stdout.write(f"{number}. {mistake.name}\n{mistake.message(shop)}\n\n")


if __name__ == "__main__":
    print_all()
