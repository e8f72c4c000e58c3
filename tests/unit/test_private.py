"""The Gaussian mechanism against an integral, and against what another library gives."""

import numpy as np
import pytest
from scipy import integrate, stats

from recsys_lab import gaussian_scale

# Of IBM's diffprivlib 0.6.6, GaussianAnalytic(sensitivity=2.5): epsilon, delta, scale. The numbers
# are kept, because that library cannot be imported beside today's scikit-learn. (At epsilon 30 its
# scale is 2 % above the one that the integral below gives.)
DIFFPRIVLIB = [
    (0.1, 1e-5, 76.87391532993196),
    (0.1, 1e-3, 43.51099050757814),
    (0.5, 1e-5, 17.579566688954962),
    (1, 1e-5, 9.326579087037059),
    (3, 1e-3, 2.5931292962187436),
    (10, 1e-5, 1.2497215498149061),
]


@pytest.mark.parametrize(("epsilon", "delta", "scale"), DIFFPRIVLIB)
def test_the_noise_is_that_of_diffprivlib(epsilon, delta, scale):
    assert gaussian_scale(2.5, epsilon, delta) == pytest.approx(scale, rel=1e-6)


@pytest.mark.parametrize(
    ("epsilon", "delta"), [(0.2, 1e-3), (1, 1e-5), (5, 1e-4), (20, 1e-6), (30, 1e-5)]
)
def test_it_keeps_the_promise_with_nothing_to_spare(epsilon, delta):
    """delta is what the density with the person has above e^epsilon times that without."""
    scale = gaussian_scale(1.0, epsilon, delta)
    start = epsilon * scale**2 + 0.5  # from here on the first density is the larger one
    far = start + 12 * scale

    def above(z):
        return stats.norm.pdf(z, 1, scale) - np.exp(epsilon) * stats.norm.pdf(z, 0, scale)

    missed, _ = integrate.quad(above, start, far, epsabs=1e-14, epsrel=1e-10)
    assert missed == pytest.approx(delta, rel=1e-5)


def test_it_grows_with_the_sensitivity_and_falls_with_epsilon_and_delta():
    assert gaussian_scale(6, 1, 1e-5) == pytest.approx(6 * gaussian_scale(1, 1, 1e-5))
    assert gaussian_scale(1, 0.5, 1e-5) > gaussian_scale(1, 0.6, 1e-5)
    assert gaussian_scale(1, 0.5, 1e-6) > gaussian_scale(1, 0.5, 1e-5)


def test_it_is_less_than_the_usual_formula():
    for epsilon in (0.1, 0.5, 0.99):
        assert gaussian_scale(1, epsilon, 1e-5) < np.sqrt(2 * np.log(1.25e5)) / epsilon
    # Which promises too much where epsilon is large: its noise is not enough.
    assert gaussian_scale(1, 100, 1e-5) > np.sqrt(2 * np.log(1.25e5)) / 100


@pytest.mark.parametrize("delta", [1e-300, 5e-324])
def test_a_delta_too_small_to_reckon_with_is_refused_or_right(delta):
    try:
        scale = gaussian_scale(1, 1, delta)
    except ValueError as error:
        assert "delta" in str(error)
    else:
        assert scale > gaussian_scale(1, 1, 1e-15)
