"""The tests of notebooks can fail: a sound lesson passes, one spoilt in one place does not."""

import base64
import copy
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import pytest
from matplotlib.font_manager import FontProperties, findfont
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from recsys_lab import figures
from tests.notebooks.anatomy import RULES
from tests.notebooks.pictures import picture_problems, view_problems
from tests.notebooks.prose import (
    binding_problems,
    bindings,
    evaluated,
    meets_other_values,
    unbound_problems,
)
from tests.notebooks.sample import sample
from tests.spark import NEEDS_SPARK
from tools import notebooks
from tools.lesson import Lesson
from tools.notebooks import ROOT, WIDGET_VIEW, refresh

SANITIZE = Path(__file__).with_name("sanitize.cfg")


def run_and_evaluate(path, cells=None):
    """One run of a notebook, and what its expressions give at its end."""
    nb = nbformat.read(path, as_version=4)
    found = []

    def after_cell(index, evaluate):
        if index == len(nb.cells) - 1:
            found.append(evaluated(nb, evaluate, cells=cells))

    return notebooks.run(path, after_cell=after_cell), found[0]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The sample lesson, stored by `refresh`, and one more run: path, notebook, what it gave."""
    path = tmp_path_factory.mktemp("course") / "notebooks" / "01_sample.ipynb"
    (path.parents[1] / "docs").mkdir()
    (path.parents[1] / "docs" / "errata.md").touch()
    path.parent.mkdir()
    nbformat.write(sample(), path)
    refresh(path)
    fresh, gave = run_and_evaluate(path)
    return path, nbformat.read(path, as_version=4), fresh, gave.values, gave.views


@pytest.fixture
def spoil(stored, tmp_path):
    """Write a copy of the stored sample with one text replaced; return its path."""

    def spoil(old, new):
        source = stored[0].read_text(encoding="utf-8")
        assert source.count(old) >= 1, f"the sample lacks {old!r}"
        path = tmp_path / "01_sample.ipynb"
        path.write_text(source.replace(old, new, 1), encoding="utf-8")
        return path

    return spoil


def problems_of(path):
    lesson = Lesson(path)
    return [problem for rule in RULES for problem in rule(lesson)]


def prose_problems(nb, values, fresh):
    return [*binding_problems(nb, values), *unbound_problems(nb, values, fresh)]


def test_a_sound_lesson_passes_every_check(stored):
    path, nb, fresh, values, _ = stored
    assert problems_of(path) == []
    assert prose_problems(nb, values, fresh.nb) == []
    assert list(picture_problems(nb, fresh.nb)) == []


@pytest.mark.parametrize(
    "old, new, says",
    [
        ("# 01 · A sample", "# 1. A sample", "the first line has to be '# 01 · Title'"),
        (
            "**You will see that a sample can be tested.**",
            "You will see.",
            "promise one thing, in bold",
        ),
        ("can be tested.**", "can be tested. Twice.**", "has to be one sentence"),
        ("## You will be able to", "## Goals", "'## You will be able to' of 3 to 5 bullets"),
        ("- read it\\n", "", "has 2 bullets"),
        ("- read it", "- the reading of it", "not 'the'"),
        ("**Time:** about 30 minutes", "It takes 30 minutes", "**Time:** about N minutes"),
        ("**Time:** about 30 minutes", "**Time:** about 50 minutes", "it says 50 minutes, and by"),
        ("So it is.", "word " * 9000, "a session has 75; the longest section is 'Recap'"),
        ("## Predict first", "## Predict", "there has to be a section '## Predict first'"),
        ('predict(\\"sample', 'print(\\"sample', "calls predict(...)"),
        ("guess.reveal", "print", "has to reveal the prediction"),
        ("explore(view, 'At", "print('At", "at least two explore(...) cells, not 1"),
        ("explore(view, 'At which", "explore(view, 'Where", "has to repeat its question"),
        ("explore(view, 'At which height are both bars equal?',", "explore(view,", "repeat its"),
        ("explore(view, 'At which", "explore(view, 'At *which", "as it is: no *, ` or $"),
        ('"source_hidden": true', '"source_hidden": false', "draws: fold it"),
        ("both bars equal?", "both bars equal.", "has to ask: **Question.** ...?"),
        ("<details>", "<div>", "has to fold the answer away"),
        (
            '@exercise(\\"sample.one',
            '@print(\\"sample.one',
            'at least two cells with an @exercise("id"), not 1',
        ),
        ('"score = 0.642\\n', '"# hint(1)\\n", "score = 0.642\\n', "the exercise's card has a"),
        ("> **One thing", "> *One thing", "write the box"),
        ("## Recap", "## Summary", "there has to be a section '## Recap'"),
        ("quiz(", "print(", "has to ask its questions: quiz"),
        ("- Nobody", "Nobody", "'## References' with a list"),
        ("[here again](01_sample.ipynb)", "here again", "links on: [...](01_sample.ipynb)"),
        ("So it is.", "It [is](02_no.ipynb).", "'02_no.ipynb' leads nowhere"),
        ("### A second", "#### A second", "of level 4 stands under one of level 2"),
        ("## Numbers are bound", "## You try", "'You try' stands there more than once"),
        ("## Both bars are drawn", "Both bars are drawn", "at least three sections"),
        (
            "## Numbers are",
            "## Going further: numbers are",
            "'You try' stands after *Going further*",
        ),
        ('quiz(\\"sample.recap\\")', "quiz(score)", "'Check yourself', may call quiz alone"),
        ("So it is.", "So it simply is.", "leave out 'simply'"),
        ("score = 0.642\\n", "score = 0.642\\n" + "1\\n" * 20, "has 22 lines, too long"),
        ("score = 0.642\\n", "score = 0.642\\nassert score", "asserts without a word"),
        ('"execution_count": 1,', '"execution_count": 7,', "execution counts are [7, 2, 3"),
        ('"name": "stdout"', '"name": "stderr"', "writes to stderr"),
        (
            '"text/plain": []',
            '"application/vnd.jupyter.widget-view+json": {}, "text/plain": []',
            "without its model",
        ),
        (
            '"text/plain": []',
            '"text/plain": ["The view \'view\' stopped with NameError: no."]',
            "shows no picture: The view 'view' stopped with NameError",
        ),
        ('"metadata": {}', '"metadata": {"execution": {}}', "stores times"),
        ('"language_info": {', '"widgets": {}, "language_info": {', "widget state is stored"),
        ("So it is.", "So it is." + "x" * 300_000, "the limit is 300"),
    ],
)
def test_a_breach_of_anatomy_is_named(spoil, old, new, says):
    problems = problems_of(spoil(old, new))
    assert any(says in problem for problem in problems), problems


@pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId")
def test_an_error_a_shared_id_and_a_broken_form_are_named(stored, tmp_path):
    nb = copy.deepcopy(stored[1])
    nb.cells[2].outputs = [
        nbformat.v4.new_output("error", ename="KeyError", evalue="'C'", traceback=[])
    ]
    nb.cells[3].id = nb.cells[2].id
    nb.cells[-1].metadata = {"tags": "no list"}
    path = tmp_path / "01_sample.ipynb"
    path.write_text(nbformat.v4.writes(nb), encoding="utf-8")
    problems = "\n".join(problems_of(path))
    assert "cell 2 raises KeyError: 'C'" in problems
    assert "cells lack ids of their own" in problems
    assert "is not valid" in problems


@pytest.mark.parametrize(
    "old, new, says",
    [
        (
            "**0.642**<!-- = score -->",
            "**0.643**<!-- = score -->",
            "gives '0.642', but the prose before it says",
        ),
        ("**0.642**<!-- = score -->", "**10.642**<!-- = score -->", "gives '0.642'"),
        ("**0.642**<!-- = score -->", "**-0.642**<!-- = score -->", "gives '0.642'"),
        ("64.2 %<!--", "64.3 %<!--", "gives '64.2 %'"),
        ("64.2 %<!--", "64.2 % <!--", "no space between"),
        ("MINUS0.64<!--", "MINUS0.65<!--", "gives '-0.64'"),
        ("MINUS0.64<!--", "0.64<!--", "gives '-0.64'"),
        ("<!-- = score -->", "<!-- = points -->", "NameError: name 'points' is not defined"),
        ("<!-- = score -->", "<!-- = score | 0 -->", "contains $ or |"),
        (
            "**0.642**<!-- = score -->",
            "**0.643**",
            "'0.643' in '...A score of **0.643' is in no output",
        ),
        ("64.2 %<!-- = ", "64.2 % and <!-- ", "'64.2 %' in"),
        ("as section 14.3 of", "as 14.3 of", "'14.3' in"),
        ("of 1999 says", "of 1999 times says, 2101 times", "'2101' in"),
        ("$x = 17$", "x = 17", "'17' in"),
        ("or `18`", "or 18", "'18' in"),
        ("At 0.642, the", "At 0.641, the", "'0.641' in"),
        ("So it is.", "It can, for 5% of all.", "'5%' in"),
        ("So it is.", "It can, down to 1e-15.", "'1e-15' in"),
    ],
)
def test_a_number_changed_in_the_prose_is_named(stored, old, new, says):
    # The expressions keep their values: what is changed is prose, and the run need not be repeated.
    _, nb, fresh, values, _ = stored
    old, new = (text.replace("MINUS", "\N{MINUS SIGN}") for text in (old, new))
    nb = copy.deepcopy(nb)
    cell = next(cell for cell in nb.cells if old in cell.source)
    cell.source = cell.source.replace(old, new)
    by_expression = {binding.expression: value for binding, value in values.items()}
    missing = ValueError("NameError: name 'points' is not defined")
    new_values = {each: by_expression.get(each.expression, missing) for each in bindings(nb)}
    problems = prose_problems(nb, new_values, fresh.nb)
    assert len(problems) >= 1 and says in problems[0], problems


@pytest.mark.parametrize(
    "text",
    [
        "C01, F1 and user-3 of 5-fold",
        "12 of 12 in 2016, and 1, 2, 3",
        "see sections 14.1 and 14.2, the article's 4.35, §4.77 and version 4.6.17",
        "```\n17\n```\n`18` $19$ $$20$$ <a id='21'>x</a> [y](22.html) https://a.b/23 <!-- 24 -->",
        "> ```mermaid\n> A --> 17\n> ```",
        "## 25 headings\n\nabout 45 minutes, 30 to 40 min",
        "## References\n\n- pages 26 to 27",
    ],
)
def test_what_is_no_result_is_left_alone(text):
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    assert prose_problems(nb, {}, nbformat.v4.new_notebook()) == []


def test_a_number_after_the_references_is_read_again():
    text = "## References\n\n- pages 26 to 27\n\n## More\n\nIt is 28."
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    (problem,) = prose_problems(nb, {}, nbformat.v4.new_notebook())
    assert "'28' in" in problem


def test_a_picture_changed_in_one_letter_is_named(stored):
    _, nb, fresh, *_ = stored
    changed = copy.deepcopy(nb)
    output = next(
        out
        for cell in changed.cells
        for out in cell.get("outputs", [])
        if "image/png" in out.get("data", {})
    )
    with Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))) as image:
        pixels = np.array(image.convert("RGB"))
    pixels[100:106, 200:204] = 255 - pixels[100:106, 200:204]
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    output.data["image/png"] = base64.b64encode(stream.getvalue()).decode()
    (problem,) = picture_problems(changed, fresh.nb)
    assert "the first at column 200, row 96" in problem


def test_a_picture_of_another_size_a_lost_one_and_another_alt_text_are_named(stored):
    _, nb, fresh, *_ = stored

    def spoilt(change):
        changed = copy.deepcopy(nb)
        for cell in changed.cells:
            for output in cell.get("outputs", []):
                change(output.get("data", {}))
        return list(picture_problems(changed, fresh.nb))

    stream = io.BytesIO()
    Image.new("RGB", (300, 200)).save(stream, "PNG")
    other = base64.b64encode(stream.getvalue()).decode()
    sized = spoilt(lambda data: data.update({"image/png": other}) if "image/png" in data else None)
    assert "has 300 x 200 pixels, the run's 400 x 200" in sized[0]
    assert "pictures are stored in cells []" in spoilt(lambda data: data.pop("image/png", None))[0]

    def reword(data):
        if "text/html" in data:
            data["text/html"] = data["text/html"].replace("up to", "down to")

    assert "alt texts differ" in spoilt(reword)[0]


def test_rounding_of_single_pixels_by_one_level_is_no_change(stored):
    _, nb, fresh, *_ = stored
    changed = copy.deepcopy(nb)
    rng = np.random.default_rng(0)
    for cell in changed.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                with Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))) as image:
                    levels = np.array(image.convert("RGB")).astype(int)
                levels += rng.integers(-1, 2, levels.shape)
                few = Image.fromarray(levels.clip(0, 255).astype(np.uint8)).quantize(256)
                stream = io.BytesIO()
                few.save(stream, "PNG")
                output.data["image/png"] = base64.b64encode(stream.getvalue()).decode()
    assert list(picture_problems(changed, fresh.nb)) == []


def test_a_picture_inside_html_is_compared_too():
    def stored(colour):
        stream = io.BytesIO()
        Image.new("RGB", (16, 16), colour).save(stream, "PNG")
        uri = base64.b64encode(stream.getvalue()).decode()
        output = nbformat.v4.new_output(
            "display_data", {"text/html": f'<img src="data:image/png;base64,{uri}" alt="a">'}
        )
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])

    assert list(picture_problems(stored("white"), stored("white"))) == []
    assert len(list(picture_problems(stored("white"), stored("black")))) == 1


def test_nbval_names_a_stored_text_that_was_changed_and_nothing_else(spoil):
    path = spoil('"0.642\\n"', '"0.643\\n"')
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "-p", "no:cacheprovider"]
    command += ["--rootdir", path.parent, "--color=no", "--nbval", "--nbval-current-env"]
    command += ["--nbval-sanitize-with", SANITIZE, path]
    done = subprocess.run(command, capture_output=True, text=True)
    failed = re.findall(r"^FAILED \S+::Cell (\d+)", done.stdout, re.MULTILINE)
    assert failed == ["3"], done.stdout + done.stderr
    assert "0.643" in done.stdout


def test_a_second_run_stores_the_same_file_and_keeps_ids(stored):
    path, nb, fresh, *_ = stored
    assert nbformat.writes(fresh.nb) + "\n" == path.read_text(encoding="utf-8")
    assert not any(cell.id.startswith("cell-") for cell in nb.cells)


@pytest.mark.parametrize(
    "source, says",
    [
        ("1 / 0", "a cell raises ZeroDivisionError: division by zero"),
        ("import sys; print('so so', file=sys.stderr)", "cell 0 writes to stderr: so so"),
    ],
)
def test_refresh_stores_nothing_when_a_cell_fails(tmp_path, capsys, source, says):
    path = tmp_path / "a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)
    before = path.read_bytes()
    assert notebooks.main(["refresh", str(path)]) == 1
    assert f"a.ipynb: NOT stored: {says}" in capsys.readouterr().out
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.ipynb"]


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    """A notebook of an older format that looks about itself: its folder, run and bindings."""
    folder = tmp_path_factory.mktemp("probe")
    nb = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("n = 1"),
            nbformat.v4.new_markdown_cell("2<!-- = n --> <!-- = kept -->"),
            nbformat.v4.new_code_cell("n = 2; block = b'x' * 2**28; del block"),
            nbformat.v4.new_code_cell(
                "import os, pathlib\n"
                "kept = pathlib.Path(os.environ['RECSYS_LAB_PROGRESS'])\n"
                "print(kept.exists(), os.getcwd() == " + repr(str(folder)) + ")\n"
                "import matplotlib; print(matplotlib.rcParams['lines.linewidth'])\n"
                "n = kept.write_text('{}')"
            ),
            nbformat.v4.new_code_cell(
                "from IPython.display import display\n"
                f"view = {{{WIDGET_VIEW!r}: {{'model_id': '1'}}, 'text/plain': ''}}\n"
                "display(view, raw=True)"
            ),
        ]
    )
    for cell in nb.cells:
        del cell["id"]
    nb.nbformat_minor = 4
    (folder / "probe.ipynb").write_text(json.dumps(nb), encoding="utf-8")
    ballast = np.ones(2**27)  # 1 GiB here, which the kernel's peak must not show
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_LAB_PROGRESS", str(folder / "mine.json"))
        mine = tmp_path_factory.mktemp("mine") / "matplotlibrc"
        mine.write_text("lines.linewidth: 9")
        patch.setenv("MATPLOTLIBRC", str(mine))
        fresh, gave = run_and_evaluate(folder / "probe.ipynb")
    assert ballast[-1] == 1
    return folder, fresh, list(gave.values.values())


def test_what_is_bound_is_evaluated_at_the_end(probe):
    assert probe[2][0] == "2"


def test_a_run_sees_no_earlier_progress_and_leaves_none(probe):
    folder, fresh, values = probe
    assert fresh.nb.cells[3].outputs[0].text.splitlines()[0] == "False True"
    assert values[1] != str(folder / "mine.json")
    assert [file.name for file in folder.iterdir()] == ["probe.ipynb"]


def test_a_run_does_not_draw_with_the_users_own_settings(probe):
    assert probe[1].nb.cells[3].outputs[0].text.splitlines()[1] == "1.5"


def test_a_view_that_a_later_cell_breaks_is_named(tmp_path):
    sources = [
        "from recsys_lab import explore, figures\nbars, factor, scale = figures.bars, 2, 2",
        "def view(x=1):\n    return bars(['A'], [factor * x], 'A bar')\nexplore(view, x=(1, 3))",
        "explore(lambda x: bars(['A'], [scale * x], 'A bar'), x=(1, 3))",
        "factor = 5",
    ]
    path = tmp_path / "views.ipynb"
    nbformat.write(new_notebook(cells=list(map(new_code_cell, sources))), path)
    fresh, gave = run_and_evaluate(path)
    (says,) = view_problems(fresh.nb, gave.views)
    assert says.startswith("cell 1: after the last cell the widget shows 'A bar. Bars: A 5.'")


def test_what_a_cell_raises_at_the_end_is_known_and_leaves_no_trace(tmp_path):
    sources = ["R = [1, 2]", "R = 5"]
    path = tmp_path / "again.ipynb"
    nbformat.write(new_notebook(cells=list(map(new_code_cell, sources))), path)
    cells = {"sets": "R = 6", "reads": "assert R == 5", "fails": "len(R)", "is none": "1 +"}
    raised = run_and_evaluate(path, cells)[1].raised
    assert raised.pop("fails") == "TypeError(\"object of type 'int' has no len()\")"
    assert "invalid syntax" in raised.pop("is none")
    assert raised == {"sets": "None", "reads": "None"}


@pytest.mark.parametrize(
    "later",
    [
        "k = 3",
        "for k in range(2):\n    pass",
        "k += 1",
        "import numpy as k",
        "k[0] = 1",
        "if True:\n    k.shape = (2,)",
        "k.sort()",
        "k['a'].fill(2)",
        "def f():\n    k[0] = 1",
        "def f():\n    global k\n    k = [0]\n    k[0] = 1",
    ],
)
@pytest.mark.parametrize(
    "reads", [["print(k)"], ["f = lambda x: x + k", "f(1)"], ["def f():\n    return k", "[f()]"]]
)
def test_a_cell_meets_other_values_if_a_later_one_changes_what_it_reads(reads, later):
    cells = [new_code_cell(each) for each in ["k = [2]", *reads, "other = 1", later]]
    found = meets_other_values(new_notebook(cells=cells))
    assert set(range(1, len(reads) + 1)) <= set(found)
    assert not {0, len(reads) + 1} & set(found)


def test_a_cell_meets_the_same_values_if_none_changes_what_it_reads():
    sources = ["k = [2]", "print(k)", "def f(k):\n    k = 3", "[k for k in range(2)]", "f(k)"]
    sources += ["def g(k):\n    k[0] = 1", "def h():\n    k = [0]\n    k[0] = 1", "k.save('x')"]
    assert not meets_other_values(new_notebook(cells=list(map(new_code_cell, sources))))


def test_a_name_that_a_cell_binds_before_it_reads_it_is_its_own():
    own = ["n = 1\nprint(n)", "for n in [1]:\n    print(n)", "import numpy as np\nnp.abs(1)"]
    other = ["print(n)\nn = 1", "for i in [n]:\n    n = i", "if n:\n    n = 1\nprint(n)", "n += 1"]
    sources = [*own, *other, "n = 2", "np.testing.assert_equal(1, 1)"]
    found = meets_other_values(new_notebook(cells=list(map(new_code_cell, sources))))
    assert found == [3, 4, 5, 6]


def test_pictures_are_lettered_in_the_font_that_matplotlib_brings_along():
    # A system's own copy, as Debian has one, may be of another version and draw other pixels.
    with figures.theme(dark=False):
        assert Path(findfont(FontProperties())).is_relative_to(matplotlib.get_data_path())


def test_peak_memory_is_the_kernels_own_and_outlives_what_was_freed(probe):
    assert 256 < probe[1].peak_mib < 800


def test_cells_without_an_id_get_one_from_their_position(probe):
    ids = [cell.id for cell in probe[1].nb.cells]
    assert ids == ["cell-000", "cell-001", "cell-002", "cell-003", "cell-004"]


def test_a_widget_is_stored_without_the_view_that_needs_its_kernel(probe):
    nb = probe[1].nb
    assert nb.cells[4].outputs[0].data == {"text/plain": ""}
    assert "widgets" not in nb.metadata


def test_the_usual_run_of_pytest_includes_every_notebook(pytestconfig):
    assert pytestconfig.option.nbval and pytestconfig.option.nbval_current_env
    assert (ROOT / pytestconfig.option.nbval_sanitize_with).samefile(SANITIZE)
    assert "notebooks" in pytestconfig.getini("testpaths")


def test_a_lesson_that_needs_spark_is_skipped_with_the_remedy_where_there_is_no_java(tmp_path):
    [path] = [path for path in notebooks.all_notebooks() if path.name in NEEDS_SPARK]
    nowhere = os.environ | {"PATH": str(tmp_path), "JAVA_HOME": "", "CI": ""}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)]
    done = subprocess.run(command, cwd=ROOT, env=nowhere, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ skipped in", done.stdout.splitlines()[-1])
    assert re.search("SKIPPED .* Spark (needs Java|is not installed)", done.stdout)
