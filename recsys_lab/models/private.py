"""How much noise a promise of privacy needs: the Gaussian mechanism, exactly.

After B. Balle and Y.-X. Wang (2018). For matrices that a person changes by a known length at most.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

from ..data.interactions import as_number, as_share

# Beyond it nothing is promised: the odds of an attacker may grow by a factor of e^100.
LARGEST_EPSILON = 100.0
# The logarithms of sensitivity / scale between which any answer lies.
STEPS = (-20.0, 9.0)


def gaussian_scale(sensitivity: float, epsilon: float, delta: float) -> float:
    """Give the least noise that hides a person: the standard deviation of normal noise.

    What is published is a list or a matrix of numbers, and each gets noise of its own. It is then
    (epsilon, delta)-differentially private: whatever is looked for in the result, its probability
    with a person is at most e^epsilon times that without, plus delta, and the other way round.

    Parameters
    ----------
    sensitivity : float above 0
        How far one person can move the numbers, as a length: the root of the sum of squares.
    epsilon : float above 0, at most 100
        The smaller, the more private.
    delta : float between 0 and 1
        What the promise may fail by. Far below 1 / people: one could keep a promise of
        delta = 1 / people by publishing everything of one person, drawn by lot.

    Returns
    -------
    float
        In the unit of ``sensitivity``.

    Raises
    ------
    ValueError
        If a number is outside its range.

    Notes
    -----
    The usual formula, sensitivity * sqrt(2 ln(1.25 / delta)) / epsilon, is proved for epsilon < 1
    alone, and gives too much noise there.

    References
    ----------
    B. Balle and Y.-X. Wang (2018). Improving the Gaussian mechanism for differential privacy:
    analytical calibration and optimal denoising. ICML 35, 394-403, theorem 8.

    Examples
    --------
    >>> round(gaussian_scale(1, epsilon=1, delta=1e-5), 3)
    3.731
    """
    sensitivity = as_number(sensitivity, "sensitivity", above=True, such="1")
    epsilon = as_number(epsilon, "epsilon", above=True, most=LARGEST_EPSILON, such="1")
    delta = as_share(delta, "delta")

    def too_much(log_mu):
        mu = np.exp(log_mu)
        missed = np.exp(epsilon + log_ndtr(-mu / 2 - epsilon / mu))
        return ndtr(mu / 2 - epsilon / mu) - missed - delta

    if too_much(STEPS[0]) >= 0:
        raise ValueError(f"delta={delta!r} is too small to reckon with: choose 1e-15 or more")
    return float(sensitivity / np.exp(brentq(too_much, *STEPS, xtol=1e-13)))
