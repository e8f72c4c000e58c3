"""Lesson 18's functions against `fold_in` and sparse products; its stored tables against these."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recsys_lab import fold_in
from recsys_lab.exercises import nb18_machines as lesson
from tools.notebooks import ROOT


@pytest.mark.parametrize("lam", [0.2, 3.0])
def test_the_penalty_of_our_own_half_step_is_2_lam(lam):
    rng = np.random.default_rng(0)
    R, V = rng.poisson(0.7, (20, 12)) + np.eye(20, 12), rng.standard_normal((12, 4))
    R[R.sum(axis=1) == 0, 0] = 1
    U = fold_in(R, V, lam, unseen="weak", alpha=2.5)
    np.testing.assert_allclose(lesson.penalties.reference(R, U, V, 2.5), 2 * lam, rtol=1e-9)


def test_what_is_sent_is_what_a_product_with_the_blocks_has():
    rng = np.random.default_rng(1)
    for blocks in (1, 3, 8):
        users, items = rng.integers(30, size=200), rng.integers(50, size=200)
        events = sp.csr_array((np.ones(200), (users, items)), shape=(30, 50))
        lies_in = sp.csr_array((np.ones(50), (np.arange(50), np.arange(50) % blocks)))
        assert lesson.sent.reference(users, items, blocks) == (events @ lies_in).nnz


def test_what_spark_has_sent_was_predicted():
    table = pd.read_csv(ROOT / "data/machines/spark.csv")
    # What is more: ids, lengths, and how Java packs them.
    assert (table["sent_iteration_mb"] / table["predicted_mb"]).between(1, 1.1).all()
    assert set(table["workers"]) == {1, 2}


def test_three_steps_grow_as_k_and_exact_equations_faster():
    table = pd.read_csv(ROOT / "data/machines/one-machine.csv")
    seconds = table[table["size"] == "1M"].pivot(index="k", columns="cg_steps", values="seconds")
    growth = seconds.loc[128] / seconds.loc[32]
    assert growth[0] > 2 * growth[3]
    assert (seconds.loc[[64, 128], 3] < seconds.loc[[64, 128], 0]).all()
