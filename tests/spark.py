"""Lessons that need Spark: run where it is, skipped with the remedy where it is not."""

import pytest

from recsys_lab.course.files import lessons
from recsys_lab.models.spark import has_spark, spark_status

NEEDS_SPARK = {each.path.name for each in lessons() if each.uses_spark}
with_spark = pytest.mark.skipif(not has_spark(), reason=spark_status())


def runnable(paths):
    """The same, as parameters of which those that cannot run here are skipped."""
    return [
        pytest.param(path, marks=with_spark) if getattr(path, "name", path) in NEEDS_SPARK else path
        for path in paths
    ]
