"""Every parameter of XGBoost that SageMaker's container takes: its range, its default, what it does, or why it is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from treering.training.objectives import OBJECTIVES, REFUSED_OBJECTIVES
from treering.training.parameter_rules import Choice, Directions, Number, Rule, Together

_TREES = ("gbtree", "dart")
_DART = ("dart",)
_LINEAR = ("gblinear",)
_HISTOGRAMS = ("auto", "hist", "approx")
_MULTI = ("multi:softmax", "multi:softprob")
_ODDS = ("binary:logistic", "binary:logitraw", "reg:logistic")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of XGBoost.

    Attributes:
        about: what it does, in a line.
        boosters, tree_methods, objectives: those that use it; empty for all.
    """

    takes: Rule
    about: str
    boosters: tuple[str, ...] = ()
    tree_methods: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ()

    @property
    def default(self) -> float | str | None:
        """What XGBoost uses where nothing is said; None means that XGBoost works it out itself."""
        return self.takes.default

    @property
    def needs(self) -> dict[str, tuple[str, ...]]:
        """The values that other parameters have to have."""
        needed = {"booster": self.boosters, "tree_method": self.tree_methods, "objective": self.objectives}
        return {name: values for name, values in needed.items() if values}


_SHARE = Number(1.0, low=0, high=1, low_excluded=True)
_CHANCE = Number(0.0, low=0, high=1)
_SWITCH = Number(0, low=0, high=1, whole=True)

# Names, ranges and defaults: XGBoost's "XGBoost Parameters" page (3.2) and the checks of SageMaker's XGBoost container.
PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        "objective": Parameter(Choice("reg:squarederror", tuple(OBJECTIVES), REFUSED_OBJECTIVES), "What the model learns to answer."),
        "num_class": Parameter(Number(low=2, whole=True), "How many classes there are; counted in the train split where not said.", objectives=_MULTI),
        "base_score": Parameter(Number(), "The answer before the first round; worked out from the targets where not said."),
        "booster": Parameter(
            Choice("gbtree", ("gbtree", "dart", "gblinear")),
            "What is boosted: trees, trees of which some are left out each round (dart), or a linear model, to which nulls are 0.",
        ),
        "tree_method": Parameter(
            Choice(
                "hist", ("auto", "exact", "approx", "hist"), MappingProxyType({"gpu_hist": "it needs the GPU build of XGBoost; hist gives the same on CPUs"})
            ),
            "How splits are searched: in histograms read batch by batch (hist, auto), in histograms made anew each round (approx), or everywhere (exact); "
            "the last two hold a whole split in memory.",
            _TREES,
        ),
        "eta": Parameter(Number(0.3, low=0, high=1), "How much of each round's correction is taken: smaller learns slower and overfits less."),
        "gamma": Parameter(Number(0.0, low=0), "How much a split has to gain to be made.", _TREES),
        "max_depth": Parameter(Number(6, low=0, whole=True), "How deep a tree may grow; 0 for no limit.", _TREES),
        "min_child_weight": Parameter(Number(1.0, low=0), "How much weight (rows, by their uncertainty) each side of a split has to have.", _TREES),
        "max_delta_step": Parameter(Number(0.0, low=0), "The largest step of a leaf's value; 0 for no limit. Helps where classes are very uneven.", _TREES),
        "subsample": Parameter(_SHARE, "The share of rows that each round draws.", _TREES),
        "sampling_method": Parameter(
            Choice(
                "uniform",
                ("uniform",),
                MappingProxyType({"gradient_based": "what it draws hangs on how many threads run, so the same rows would not give the same model"}),
            ),
            "How rows are drawn: each alike.",
            _TREES,
        ),
        "colsample_bytree": Parameter(_SHARE, "The share of features that each tree draws.", _TREES),
        "colsample_bylevel": Parameter(_SHARE, "The share of those that each level of a tree draws.", _TREES),
        "colsample_bynode": Parameter(_SHARE, "The share of those that each split draws.", _TREES, _HISTOGRAMS),
        "lambda": Parameter(Number(1.0, low=0), "Penalty on the square of leaf values or coefficients."),
        "alpha": Parameter(Number(0.0, low=0), "Penalty on the size of leaf values or coefficients."),
        "scale_pos_weight": Parameter(Number(1.0, low=0, low_excluded=True), "How much a row of the positive class counts.", objectives=_ODDS),
        "grow_policy": Parameter(
            Choice("depthwise", ("depthwise", "lossguide")), "Whether trees grow level by level, or where the gain is largest.", _TREES, _HISTOGRAMS
        ),
        "max_leaves": Parameter(Number(0, low=0, whole=True), "How many leaves a tree may have; 0 for no limit.", _TREES, _HISTOGRAMS),
        "max_bin": Parameter(Number(256, low=2, whole=True), "How many histogram bins a feature is cut into.", _TREES, _HISTOGRAMS),
        "max_cat_to_onehot": Parameter(
            Number(4, low=1, whole=True), "Categories are split one against the rest where a feature has fewer than so many.", _TREES, _HISTOGRAMS
        ),
        "max_cat_threshold": Parameter(Number(64, low=1, whole=True), "How many categories one split may put on a side.", _TREES, _HISTOGRAMS),
        "num_parallel_tree": Parameter(Number(1, low=1, whole=True), "How many trees each round grows; above 1, a boosted forest.", _TREES),
        "monotone_constraints": Parameter(Directions(), "Which features may only raise (1) or only lower (-1) the answer.", _TREES),
        "interaction_constraints": Parameter(Together(), "Which features may act together; those of different lists never stand on one path.", _TREES),
        "sample_type": Parameter(Choice("uniform", ("uniform", "weighted")), "How the trees to leave out are drawn.", _DART),
        "normalize_type": Parameter(Choice("tree", ("tree", "forest")), "Whether a new tree weighs as each, or as the sum, of those left out.", _DART),
        "rate_drop": Parameter(_CHANCE, "The share of trees that a round leaves out.", _DART),
        "one_drop": Parameter(_SWITCH, "1 leaves out at least one tree each round.", _DART),
        "skip_drop": Parameter(_CHANCE, "The chance that a round leaves out none.", _DART),
        "updater": Parameter(
            Choice(
                "coord_descent",
                ("coord_descent",),
                MappingProxyType({"shotgun": "its threads race each other, so the same rows would not give the same model; take coord_descent"}),
            ),
            "How a linear model is fitted.",
            _LINEAR,
        ),
        "feature_selector": Parameter(
            Choice("cyclic", ("cyclic", "shuffle", "random", "greedy", "thrifty")), "In which order coefficients are improved.", _LINEAR
        ),
        "top_k": Parameter(Number(0, low=0, whole=True), "How many coefficients greedy and thrifty improve each round; 0 for all.", _LINEAR),
        "tweedie_variance_power": Parameter(
            Number(1.5, low=1, high=2, low_excluded=True, high_excluded=True),
            "How the variance grows with the mean: nearer 2 as a gamma, nearer 1 as a Poisson distribution.",
            objectives=("reg:tweedie",),
        ),
        "huber_slope": Parameter(
            Number(1.0, low=0, low_excluded=True), "From which size on mistakes count by their size.", objectives=("reg:pseudohubererror",)
        ),
        "quantile_alpha": Parameter(
            Number(low=0, high=1, low_excluded=True, high_excluded=True), "Which quantile to learn; has to be said.", objectives=("reg:quantileerror",)
        ),
        "seed": Parameter(Number(0, low=0, high=2**31 - 1, whole=True), "Where every random draw starts."),
        "nthread": Parameter(Number(low=1, whole=True), "How many threads run; all cores where not said. The model does not depend on it.", _TREES),
        "verbosity": Parameter(Number(1, low=0, high=3, whole=True), "How much XGBoost says in the log: 0 nothing, 1 warnings, 2 steps, 3 everything."),
    }
)

# Where XGBoost's default hangs on what else is said.
DEFAULTS_WITH: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "gblinear": MappingProxyType({"eta": 0.5, "lambda": 0.0}),
        "count:poisson": MappingProxyType({"max_delta_step": 0.7}),
    }
)

# XGBoost's own second names; `lambda` cannot be written as an argument in Python.
ALIASES: Mapping[str, str] = MappingProxyType(
    {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha", "n_jobs": "nthread", "random_state": "seed"}
)

_GPU = "it steers the GPU build of XGBoost, and jobs run on CPUs"
_GONE = "XGBoost has dropped it"
_UPDATES = "it changes an existing model, and a job starts with none"
_ROUNDS = "say num_round"
_FOLDS = "a job trains one model; build a training set for each fold"

# Names of the container, of XGBoost or of its scikit-learn classes.
REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "gpu_id": _GPU,
        "device": _GPU,
        "deterministic_histogram": _GPU,
        "single_precision_histogram": _GPU,
        "use_dask_gpu_training": _GPU,
        "predictor": f"{_GONE}; models answer on the CPU",
        "sketch_eps": f"{_GONE}; say max_bin",
        "lambda_bias": _GONE,
        "dsplit": f"{_GONE}; jobs run on one machine",
        "prob_buffer_row": f"{_GONE}; jobs run on one machine",
        "process_type": _UPDATES,
        "refresh_leaf": _UPDATES,
        "aft_loss_distribution": REFUSED_OBJECTIVES["survival:aft"],
        "aft_loss_distribution_scale": REFUSED_OBJECTIVES["survival:aft"],
        "csv_weights": "training sets carry weights; name the column with Labels(weight=...)",
        "save_model_on_termination": "a job that is stopped leaves no model",
        "_kfold": _FOLDS,
        "_num_cv_round": _FOLDS,
        "_tuning_objective_metric": "jobs are not tuned; name metrics in eval_metric",
        "n_estimators": _ROUNDS,
        "num_boost_round": _ROUNDS,
        "num_rounds": _ROUNDS,
        "missing": "nulls are missing values; turn others into nulls in the recipe",
        "enable_categorical": "columns that the recipe's Category step makes are categories already",
        "sample_weight": "name the column of weights with Labels(weight=...)",
    }
)
