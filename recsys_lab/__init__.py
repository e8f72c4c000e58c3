"""The helper package of recsys-lab, an interactive course on recommender systems.

Public names load on first use (PEP 562), so ``import recsys_lab`` costs nothing and works in a
Python that has no packages yet: the launcher, ``python3 -m recsys_lab``, depends on that.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "interactions": ["Interactions"],
    "datasets": ["load_movielens", "load_shop"],
    "splits": ["split_cold_items", "split_cold_users", "split_last", "split_random"],
    "factorization": [
        "Factors",
        "als",
        "fold_in",
        "objective",
        "soft_thresholded_svd",
        "truncated_svd",
    ],
    "network": ["ReLUNetwork", "gradient_check", "sigmoid"],
    "keras_models": ["article_model", "dot_model", "sample_negatives"],
    "ranking": [
        "content_scores",
        "item_cosine",
        "item_features",
        "item_neighbours",
        "popularity",
        "recommend",
    ],
    "metrics": ["accuracy", "bootstrap_interval", "diversity", "evaluate", "evaluate_per_user"],
    "contest": ["leak_check", "leaderboard", "rivals", "standings"],
    "explore": ["cell_grid", "explore"],
    "exercises": ["exercise", "hint", "predict", "progress", "solution"],
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name):
    if name not in _MODULE_OF:
        raise AttributeError("module " + repr(__name__) + " has no attribute " + repr(name))
    value = getattr(import_module("." + _MODULE_OF[name], __name__), name)
    # Kept, so that the next look-up does not pass through here. The `explore` module is itself
    # callable, since importing it binds its own name here whatever we do.
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(__all__))
