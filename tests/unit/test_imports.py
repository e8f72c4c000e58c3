"""The package's layers: who imports whom, and what `import recsys_lab` does not load."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import recsys_lab

PACKAGE = Path(recsys_lab.__file__).parent
SCIENCE = {"numpy", "scipy", "pandas"}
NOTEBOOK = {"IPython", "ipywidgets", "anywidget", "traitlets"}
# The floors, from the ground up: each may import those below it, and the packages named here.
FLOORS = {
    "course": set(),  # so that a Python without any package can start it: see the last test
    "data": {*SCIENCE, "PIL"},
    "models": {*SCIENCE, "keras", "pyspark"},
    "judging": SCIENCE,
    "page": {"numpy", "matplotlib", "PIL", *NOTEBOOK},
    "auditing": {*SCIENCE, "pyarrow"},
    "exercises": {*SCIENCE, *NOTEBOOK, "pygments", "psutil"},
    "__main__": set(),
}
ORDER = list(FLOORS)
# What only one module may import, wherever on its floor it stands.
ALONE = {
    "keras": "models.keras_models",
    "pyspark": "models.spark",
    "pyarrow": "auditing.reading",
}


def modules():
    """Dotted name inside of the package -> syntax tree."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name:
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(name, tree, known):
    """(modules of this package, other packages) that a module imports anywhere in it."""
    own, others = set(), set()
    is_package = (PACKAGE / name.replace(".", "/")).is_dir()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ["recsys_lab", *name.split(".")]
            base = base[: len(base) - node.level + is_package] if node.level else []
            source = ".".join([*base, *filter(None, [node.module])])
            targets = [(source, alias.name) for alias in node.names]
        else:
            continue
        for source, member in targets:
            top, _, rest = source.partition(".")
            if top != "recsys_lab":
                others.add(top)
                continue
            longer = f"{rest}.{member}" if rest else member
            if longer in known:
                own.add(longer)
            elif rest:
                own.add(rest)
            elif member in recsys_lab._HOME_OF:
                own.add(recsys_lab._HOME_OF[member])
    return own - {name}, others


TREES = modules()


@pytest.mark.parametrize("name", TREES)
def test_a_module_imports_only_its_floor_and_those_below(name):
    floor = name.partition(".")[0]
    assert floor in FLOORS, f"say in FLOORS what {name} may import"
    own, others = imports(name, TREES[name], TREES)
    below = ORDER[: ORDER.index(floor) + 1]
    assert {module.partition(".")[0] for module in own} <= set(below)
    others -= set(sys.stdlib_module_names)
    assert others <= FLOORS[floor]
    assert not [each for each in others if ALONE.get(each, name) != name]


def test_imports_form_no_circle():
    graph = {name: imports(name, tree, TREES)[0] for name, tree in TREES.items()}
    list(TopologicalSorter(graph).static_order())


def python(code, *options):
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_the_package_loads_nothing_heavy():
    loaded = python("import sys, recsys_lab; print(*sys.modules)")
    heavy = {"numpy", "scipy", "pandas", "matplotlib", "IPython", "ipywidgets", "anywidget"}
    assert not {*heavy, "tensorflow", "keras"} & set(loaded)


def test_data_and_metrics_load_no_plotting():
    loaded = python("import sys; from recsys_lab import load_shop, evaluate; print(*sys.modules)")
    assert "numpy" in loaded
    assert not {"matplotlib", "ipywidgets", "tensorflow", "keras", "pyspark"} & set(loaded)


@pytest.mark.parametrize("name", recsys_lab.__all__)
def test_a_public_name_loads_on_first_use(name):
    assert getattr(recsys_lab, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="load_shops"):
        _ = recsys_lab.load_shops
    assert set(recsys_lab.__all__) <= set(dir(recsys_lab))


@pytest.mark.parametrize("module", ["course.launcher", "course.record"])
def test_what_the_launcher_needs_runs_without_any_package(module):
    # -I -S: no site-packages at all.
    code = f"import sys; sys.path.insert(0, '.'); import recsys_lab.{module}; print('done')"
    assert python(code, "-I", "-S") == ["done"]
