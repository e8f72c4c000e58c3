"""Measures the budgets of the course: `python -m benchmarks` prints one table."""
