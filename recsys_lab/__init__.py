"""The helper package of recsys-lab, an interactive course on recommender systems.

Public names load on first use (PEP 562), so ``import recsys_lab`` costs nothing and works in a
Python that has no packages yet: the launcher, ``python3 -m recsys_lab``, depends on that.
"""

from importlib import import_module

__version__ = "1.0.0"

# Public name -> where it lives, floor by floor; a module that is public as a whole names itself.
_HOME = {
    "data.chance": ["same_margins"],
    "data.interactions": ["Interactions"],
    "data.datasets": [
        "load_asked",
        "load_film_vectors",
        "load_large",
        "load_movielens",
        "load_picture_shop",
        "load_senses",
        "load_sequences",
        "load_shop",
    ],
    "data.sequences": ["ordered_histories", "split_next"],
    "data.worlds": ["SeriesWorld"],
    "data.logs": ["simulate_log"],
    "data.planted": ["planted_log"],
    "data.scenes": ["simulate_baskets", "simulate_feed", "simulate_friends"],
    "data.splits": [
        "split_cold_items",
        "split_cold_users",
        "split_last",
        "split_random",
        "split_time",
    ],
    "models.factorization": [
        "Factors",
        "als",
        "fold_in",
        "objective",
        "soft_thresholded_svd",
        "truncated_svd",
    ],
    "models.network": ["ReLUNetwork", "gradient_check", "sigmoid"],
    "models.baselines": ["content_scores", "item_cosine", "item_features", "popularity"],
    "models.keras_models": ["article_model", "dot_model", "keras_models", "sample_negatives"],
    "models.text": ["text"],
    "models.dot_losses": ["fit_dot"],
    "models.ncf_models": ["ncf_model"],
    "models.sequence_models": ["Chain", "NextItem"],
    "models.semantic_ids": ["CodeWriter", "SemanticIds"],
    "models.private": ["gaussian_scale"],
    "models.spark": ["spark"],
    "models.recommenders": [
        "ALS",
        "BPR",
        "EASE",
        "Content",
        "FeatureMap",
        "Dot",
        "ItemNeighbours",
        "KerasDot",
        "NCF",
        "Popularity",
        "Random",
        "RecentPopularity",
        "SoftThresholdedSVD",
        "TruncatedSVD",
        "UserNeighbours",
    ],
    "judging.ranking": ["recommend"],
    "judging.metrics": [
        "accuracy",
        "bootstrap_interval",
        "diversity",
        "evaluate",
        "evaluate_per_user",
    ],
    "judging.fairness": ["calibrated", "gini"],
    "judging.fillings": ["compare_fillings", "usual_stars"],
    "judging.judge": ["leak_check"],
    "judging.store": ["read_leaderboard"],
    "judging.leaderboard": ["leaderboard", "rivals", "standings"],
    "page.figures": ["figures"],
    "page.widgets": ["cell_grid", "explore", "picture_wall", "played"],
    "auditing.report": ["audit"],
    "exercises": [
        "course_map",
        "exercise",
        "hint",
        "predict",
        "progress",
        "quiz",
        "review",
        "solution",
    ],
}
_HOME_OF = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_HOME_OF)


def __getattr__(name):
    if name not in _HOME_OF:
        raise AttributeError("module " + repr(__name__) + " has no attribute " + repr(name))
    module = import_module("." + _HOME_OF[name], __name__)
    # A module that is public as a whole holds nothing of its own name; `leaderboard` does.
    value = getattr(module, name, module)
    globals()[name] = value  # the next look-up does not pass through here
    return value


def __dir__():
    return sorted(set(globals()) | set(__all__))
