"""Measures the budgets of the course: `python -m benchmarks` prints one table."""

# For processes yet to be started, since it is read as numpy is loaded: numpy, scipy and `implicit`
# each bring a BLAS of their own. With two threads for products so small as those of a leaderboard,
# ALS weak takes ten times as long.
ONE_THREAD = {
    f"{library}_THREADS": "1"
    for library in ("OPENBLAS_NUM", "OMP_NUM", "MKL_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")
}
