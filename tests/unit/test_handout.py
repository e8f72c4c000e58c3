"""What is handed out: what a student must not find, what a teacher must, pages that stand alone.

That its solutions are right and its numbers those of a run, tests/notebooks/lessons.py holds.
"""

import copy
import io
import json
import re
import shutil
import sys
from functools import cache
from itertools import pairwise

import nbformat
import pytest
from lxml.html import document_fromstring, fragment_fromstring
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from recsys_lab.course.files import lessons as course_lessons
from recsys_lab.exercises import all_exercises, get
from tools import handout, notebooks
from tools.notebooks import ROOT, all_notebooks

LESSONS = all_notebooks()
lessons = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
editions = pytest.mark.parametrize("edition", ["student", "teacher"])


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The folder that the command writes; what moves on its pages, tests/browser looks at."""
    folder = tmp_path_factory.mktemp("handout")
    assert handout.main(["--out", str(folder), "--still"]) == 0
    return folder


def notebook(path):
    return nbformat.read(path, as_version=4)


@cache
def page_of(out, edition, path):
    text = (out / "html" / edition / f"{path.name[:2]}.html").read_text(encoding="utf-8")
    return document_fromstring(text)


def code(nb):
    return [cell.source for cell in nb.cells if cell.cell_type == "code"]


def squeezed(text):
    return " ".join(text.split())


# --- The student's edition ---


@lessons
def test_the_students_code_is_the_courses_cell_by_cell(out, path):
    assert code(notebook(out / "student" / path.name)) == code(notebook(path))


@lessons
def test_a_student_finds_no_solution_and_no_mention_of_one(out, path):
    text = (out / "student" / path.name).read_text(encoding="utf-8")
    printed = squeezed(page_of(out, "student", path).text_content())
    assert "solution(" not in text + printed
    cells = notebook(out / "student" / path.name).cells
    everything = squeezed("\n".join(cell.source for cell in cells))
    for exercise in all_exercises():
        body = squeezed(exercise.solution.removeprefix(exercise.stub.removesuffix("...")))
        assert body not in everything and body not in printed, exercise.id


@lessons
def test_the_students_text_is_the_courses(out, path):
    before, after = notebook(path).cells, notebook(out / "student" / path.name).cells
    assert [cell.source for cell in before] == [cell.source for cell in after]


@lessons
def test_the_answer_to_a_guess_is_in_no_stored_output(out, path):
    for nb in (notebook(path), notebook(out / "student" / path.name)):
        told = ["The answer is:" in str(cell.get("outputs")) for cell in nb.cells]
        assert any(told) == (nb == notebook(path))


def spoilt(*cells):
    nb = new_notebook(cells=list(cells))
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("stream", text="told")]
    return [cell.source for cell in handout.student(nb).cells if cell.get("outputs") == []]


def test_a_section_that_reveals_a_guess_keeps_no_output():
    cells = [
        new_markdown_cell("# Title"),
        new_code_cell("guess = predict()"),
        new_markdown_cell("## One"),
        new_code_cell("kept"),
        new_markdown_cell("## Two"),
        new_code_cell("before"),
        new_code_cell("explore(view)"),
        new_code_cell('guess.reveal("A")'),
        new_markdown_cell("### Still two"),
        new_code_cell("after"),
        new_markdown_cell("Text.\n\n## Three"),
        new_code_cell("kept too"),
    ]
    assert spoilt(*cells) == ["before", "explore(view)", 'guess.reveal("A")', "after"]


def test_a_question_keeps_its_picture_and_hides_what_answers_it():
    cells = [
        new_markdown_cell("## One\n\n**Question.** Why?"),
        new_code_cell("explore(view)"),
        new_code_cell("measured"),
        new_markdown_cell("<details><summary>Answer</summary>\n\nSo.\n\n</details>"),
        new_code_cell("kept"),
        new_markdown_cell("**Question.** And this?"),
        new_code_cell("measured too"),
        new_markdown_cell("So much for that.\n\n### Two"),
        new_code_cell("kept too"),
    ]
    assert spoilt(*cells) == ["measured", "measured too"]


def test_the_card_of_a_guess_is_never_hidden_by_its_own_section():
    cells = [
        new_markdown_cell("## One"),
        new_code_cell("before"),
        new_code_cell('guess = lab.predict("Which?", ["A", "B"])'),
        new_code_cell("measured"),
        new_code_cell('guess.reveal("A")'),
    ]
    assert spoilt(*cells) == ["measured", 'guess.reveal("A")']


def test_no_lesson_hides_the_card_of_a_guess():
    asked = 0
    for path in LESSONS:
        nb = notebook(path)
        cards = {k for k, cell in enumerate(nb.cells) if " = predict(" in cell.source}
        cards |= {k for k, cell in enumerate(nb.cells) if " = lab.predict(" in cell.source}
        assert not cards & handout.spoilers(nb), path.name
        asked += len(cards)
    assert asked > 20


def test_an_exercise_says_nothing_before_it_is_run():
    cells = [new_code_cell(get("start.best").stub), new_code_cell("best([1], [False])")]
    assert spoilt(*cells) == [cells[0].source]


def test_what_is_run_after_a_prompt_to_think_is_hidden():
    cells = [
        new_markdown_cell("Write it down before you run the next cell."),
        new_code_cell("told"),
        new_markdown_cell("That was it."),
        new_code_cell("kept"),
    ]
    assert spoilt(*cells) == ["told"]


def test_a_mention_of_the_solution_is_refused():
    with pytest.raises(ValueError, match=r"cell 0 mentions solution"):
        handout.student(new_notebook(cells=[new_markdown_cell("Call `solution('a.b')`.")]))


def test_an_answer_of_ones_own_is_not_handed_out():
    mine = get("start.best").solution
    nb = handout.student(new_notebook(cells=[new_code_cell(mine)]))
    assert nb.cells[0].source == get("start.best").stub
    assert nb.metadata["recsys_lab"] == {"edition": "student"}


@pytest.mark.parametrize("place", [".", "data", "data/shop/x", "notebooks"])
def test_the_courses_own_folders_are_refused(place, capsys):
    before = sorted(ROOT.rglob("*.ipynb"))
    assert handout.main(["--out", str(ROOT / place)]) == 1
    assert "the course's own folder" in capsys.readouterr().err
    assert sorted(ROOT.rglob("*.ipynb")) == before


def test_hints_open_one_by_one():
    tree = fragment_fromstring(handout.hints(["First `x`.", "Then < y."]))
    assert [each.text for each in tree.iter("summary")] == ["Hint 1 of 2", "Hint 2 of 2"]
    (inner,) = tree.xpath("./details")
    assert inner.findtext("p") == "Then < y."


# --- The teacher's edition ---


@lessons
def test_the_teachers_edition_is_the_source_solved_unfolded_and_with_talking_points(out, path):
    source, nb = notebook(path), notebook(out / "teacher" / path.name)
    points = nb.cells.pop(1).source
    assert points.startswith("## For the teacher\n\n")
    teaching = (ROOT / "docs" / "teaching" / f"{path.stem}.md").read_text(encoding="utf-8")
    assert points.partition("\n\n")[2] == teaching.strip()
    for old, new in zip(source.cells, nb.cells, strict=True):
        solved = re.match(r'@exercise\("(.+)"\)', old.source)
        if solved:
            assert (old.source, new.source) == (get(solved[1]).stub, get(solved[1]).solution)
            assert new.outputs == []
        else:
            assert str(new).replace("<details open>", "<details>") == str(old)
    assert "<details>" not in str(nb)


@lessons
def test_the_teachers_page_shows_every_answer(out, path):
    page = page_of(out, "teacher", path)
    assert page.xpath("//details[@open]") and not page.xpath("//details[not(@open)]")


def test_a_lesson_without_talking_points_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(handout, "TEACHING", tmp_path)
    (tmp_path / "01_concepts.md").write_text("Say it.\n")
    assert handout.talking_points("01_concepts") == "Say it."
    with pytest.raises(ValueError, match=r"docs/teaching/02_svd\.md is missing"):
        handout.talking_points("02_svd")


@lessons
def test_the_messages_that_a_teacher_is_told_of_are_those_of_the_checks(path):
    home = handout.talking_points(path.stem).partition("**Home.**")[2]
    mine = [each for each in all_exercises() if each.notebook == int(path.name[:2])]
    says = "\n".join(wrong.expects for exercise in mine for wrong in exercise.wrongs)
    # Told in italics, too: what is no message, a model answer or a part of the lesson.
    for message in set(re.findall(r"(?<![\w*])\*([^*]+)\*(?!\*)", home)) - {
        "Model answer:",
        "Going further",
        "Check yourself",
    }:
        assert squeezed(message) in says, message
    assert not home or all(f"`{exercise.id}`" in home for exercise in mine)


# --- Pages ---


@lessons
@editions
def test_a_page_loads_nothing(out, edition, path):
    page = page_of(out, edition, path)
    loading = ["script", "link", "iframe", "object", "embed", "video", "audio", "source", "base"]
    assert not [tag for tag in page.iter() if tag.tag in loading]
    assert all(source.startswith("data:image/") for source in page.xpath("//@src"))
    styles = [style.text for style in page.iter("style")] + page.xpath("//@style")
    assert styles and not re.search(r'@import|url\((?!"data:)', "".join(styles))
    assert not page.xpath("//@srcset | //@background | //@poster | //@data")


@lessons
@editions
def test_a_page_has_language_title_landmark_headings_in_order_and_alt_texts(out, edition, path):
    page = page_of(out, edition, path)
    assert page.get("lang") == "en-GB" and path.name[:2] in page.findtext(".//title")
    assert len(page.xpath("//main")) == len(page.xpath("//main//h1")) == len(page.xpath("//h1"))
    levels = [int(tag.tag[1]) for tag in page.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    assert all(len(image.get("alt")) > 20 for image in page.iter("img"))
    for header in page.iter("th"):
        assert header.get("scope") in ("col", "row") and header.text_content().strip()


@lessons
def test_a_lessons_pictures_are_on_both_pages_on_the_students_folded_where_they_would_spoil(
    out, path
):
    for edition in ("student", "teacher"):
        kept = [
            alt
            for cell in notebook(path).cells
            for output in cell.get("outputs", [])
            for alt in re.findall(
                r'<img[^>]* src="[^"]{60}', output.get("data", {}).get("text/html", "")
            )
        ]
        page = page_of(out, edition, path)
        assert len(page.xpath("//img")) == len(kept) > 0
    stored = notebook(out / "student" / path.name)
    shown = sum("<img" in str(cell.get("outputs")) for cell in stored.cells)
    page = page_of(out, "student", path)
    outside = page.xpath("//img[not(ancestor::details)]")
    assert len({image.get("alt") for image in outside}) <= len(outside) == shown


@lessons
@editions
def test_every_formula_is_mathml_and_every_link_between_lessons_leads_to_a_page(out, edition, path):
    page = page_of(out, edition, path)
    markdown = "\n".join(c.source for c in notebook(path).cells if c.cell_type == "markdown")
    assert len(page.xpath("//math[@display='block']")) == markdown.count("$$") / 2
    left = page.xpath("//main//text()[not(ancestor::pre or ancestor::code or ancestor::math)]")
    assert "$" not in "".join(left)
    for link in page.iter("a"):
        assert link.text_content().strip()
        if not re.match(r"https?:", link.get("href")):
            target, _, place = link.get("href").partition("#")
            there = out / "html" / edition / (target or f"{path.name[:2]}.html")
            assert there.is_file(), link.get("href")
            assert not place or f'id="{place}"' in there.read_text("utf-8"), link.get("href")


@lessons
def test_a_students_page_is_printed_with_room_where_an_answer_is_folded(out, path):
    page = page_of(out, "student", path)
    folds = page.xpath("//details[not(@class) and not(ancestor::*[@class='output'])]")
    rooms = page.xpath("//*[@class='room']")
    assert len(rooms) == len(folds) > 0
    printed = copy.deepcopy(page)
    for fold in printed.xpath("//details[not(@class='hint')]"):
        fold.drop_tree()  # as the style says: see tests/browser/test_handout.py
    text = squeezed(printed.text_content())
    for fold, room in zip(folds, rooms, strict=True):
        assert fold.getnext() is room and fold.get("open") is None
        assert squeezed(fold.find("p").text_content())[:60] not in text


def test_an_output_that_would_spoil_a_guess_is_folded_on_the_students_page_alone():
    cells = [
        new_markdown_cell("# Title\n\n## One"),
        new_code_cell("told", outputs=[new_output("stream", text="the number is 7")]),
        new_code_cell('guess.reveal("A")', outputs=[new_output("stream", text="it is A")]),
        new_code_cell(get("start.best").stub, outputs=[new_output("stream", text="not started")]),
    ]
    nb = new_notebook(cells=cells)
    made = handout.students_page(nb)
    page = document_fromstring(handout.page(made, "student", handout.spoilers(nb)))
    folded = page.xpath("//details[@class='told']")
    assert ["7" in folded[0].text_content(), "it is A" in folded[1].text_content()] == [True, True]
    assert "not started" not in page.text_content()
    page = document_fromstring(handout.page(handout.teacher(nb, "Say it."), "teacher"))
    assert not page.xpath("//details[@class='told']") and "the number is 7" in page.text_content()


@editions
def test_a_link_leads_into_the_pages_own_folder_or_to_the_web(out, edition):
    # So that the folder alone can be put on a web server.
    folder = out / "html" / edition
    for path in folder.glob("*.html"):
        page = document_fromstring(path.read_text("utf-8"))
        for link in page.xpath("//a/@href"):
            if not link.startswith(("https://", "http://", "#")):
                name, _, place = link.partition("#")
                assert (folder / name).is_file() and "/" not in name, (path.name, link)
                there = document_fromstring((folder / name).read_text("utf-8"))
                assert not place or there.xpath(f"//*[@id='{place}']"), (path.name, link)


@editions
def test_the_index_leads_to_every_page_and_every_page_to_the_index(out, edition):
    folder = out / "html" / edition
    index = document_fromstring((folder / "index.html").read_text("utf-8"))
    links = index.xpath("//main//a/@href")
    assert links == [f"{path.name[:2]}.html" for path in LESSONS] + ["errata.html"]
    for link in links:
        page = document_fromstring((folder / link).read_text("utf-8"))
        assert set(page.xpath("//nav/a/@href")) == {"index.html"}
    text = squeezed(index.find(".//main").text_content())
    for lesson in course_lessons():
        assert lesson.title in text and f"about {lesson.minutes} minutes" in text
    assert "*" not in text and "`" not in text
    assert edition in index.findtext(".//title")


def test_a_page_of_a_recorded_lesson_holds_its_script_and_what_its_widgets_left():
    form = {"kind": "quiz", "questions": ["a </script> b"]}
    reading = new_output("display_data", data={"text/html": "<p>Run this cell to answer.</p>"})
    left = new_output("display_data", data={handout.MIME: form})
    cells = [new_markdown_cell("# Title"), new_code_cell("quiz()", outputs=[reading, left])]
    text = handout.page(new_notebook(cells=cells), "student")
    page = document_fromstring(text)
    (data, script) = page.iter("script")
    assert json.loads(data.text) == form
    assert data.getprevious().get("class") == "output"
    assert "Run this cell" not in text
    assert not re.search(r"^(import|export) ", script.text, re.M)


def test_a_lesson_that_does_not_run_is_told_of_and_nothing_of_it_is_written(tmp_path):
    path = tmp_path / "98_broken.ipynb"
    cells = [new_markdown_cell("# 98 · Broken"), new_code_cell("missing")]
    nbformat.write(new_notebook(cells=cells), path)
    with pytest.raises(ValueError, match=r"98_broken.ipynb: a cell raises NameError.*--still"):
        handout.write(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_page_that_is_too_large_is_told_of(tmp_path, monkeypatch):
    assert "TOO LARGE" not in handout.write(LESSONS[0], tmp_path, still=True)
    monkeypatch.setattr(handout, "PAGE_LIMIT", 50_000)
    assert "TOO LARGE" in handout.write(LESSONS[0], tmp_path, still=True)


def test_a_formula_or_a_diagram_that_cannot_be_shown_is_refused():
    assert "<mfrac>" in handout.mathml(r"\tfrac12", "inline")
    with pytest.raises(ValueError, match=r"\\unheard"):
        handout.mathml(r"x + \unheard", "inline")
    with pytest.raises(ValueError, match="A -- B"):
        handout.arrows("graph LR\n  A -- B")


def test_equations_in_lines_stay_in_lines():
    shown = handout.mathml(r"\begin{aligned} a & = b \\ c & = d \end{aligned}", "block")
    assert shown.count("<mtr") == 2 and "&</mi>" not in shown


def test_a_page_folds_the_code_that_a_notebook_folds_and_says_so():
    text = "# Title\n\n(The code is folded: click the bar to the left of its cell to open it.)"
    cells = [new_markdown_cell(text), new_code_cell("a = 1"), new_code_cell("b = 2")]
    cells[2].metadata["jupyter"] = {"source_hidden": True}
    page = document_fromstring(handout.page(new_notebook(cells=cells), "student"))
    (fold,) = page.xpath("//details[@class='source']")
    assert "b = 2" in fold.text_content() and fold.get("open") is None
    assert "click The code to open it" in page.text_content()
    page = document_fromstring(handout.page(new_notebook(cells=cells), "teacher"))
    assert page.xpath("//details[@class='source']")[0].get("open") is not None


def test_a_page_shows_neither_anothers_machine_nor_anothers_progress():
    told = [new_output("stream", text="19 of 19 OK")]
    cells = [new_markdown_cell("# Title"), new_code_cell("machine_check()", outputs=told)]
    text = handout.page(new_notebook(cells=cells), "student")
    assert "19 of 19" not in text and "In JupyterLab" in text


def test_a_notebook_without_a_title_is_refused():
    for cells in ([], [new_markdown_cell("No title.")]):
        with pytest.raises(ValueError, match="no title"):
            handout.page(new_notebook(cells=cells), "student")


def test_a_diagram_is_a_list_of_its_arrows():
    drawn = handout.arrows("graph LR\n    A[1 Collect] --> B[2<br/>Clean]\n    B --> C[Show]\n")
    assert drawn == "<ul><li>1 Collect → 2 Clean</li><li>2 Clean → Show</li></ul>"


# --- The command ---


def one_sentence(capsys, *parts):
    said = capsys.readouterr().err.strip()
    assert "\n" not in said and said.endswith("."), said
    for part in parts:
        assert part in said


def test_the_data_are_beside_the_editions_since_the_lessons_read_them_there(out):
    assert (out / "student" / "../data/movielens-small/ratings.csv").is_file()


def test_an_unknown_argument_is_one_sentence(capsys):
    assert handout.main(["--oud", "x"]) == 2
    one_sentence(capsys, "'--oud'", "--out FOLDER")


def test_a_folder_that_cannot_be_written_is_one_sentence(capsys, tmp_path):
    (tmp_path / "file").touch()
    assert handout.main(["--out", str(tmp_path / "file")]) == 1
    one_sentence(capsys, str(tmp_path / "file"), "another --out FOLDER")


def test_a_console_that_lacks_a_character_of_the_folder_is_told_it_all_the_same(
    tmp_path, monkeypatch
):
    said = io.TextIOWrapper(io.BytesIO(), "cp1252")
    monkeypatch.setattr(sys, "stdout", said)
    monkeypatch.setattr(handout, "all_notebooks", lambda: [])
    assert handout.main(["--out", str(tmp_path / "数据")]) == 0
    said.flush()
    assert b"Written to" in said.buffer.getvalue() and b"\\u6570" in said.buffer.getvalue()


@pytest.mark.parametrize("place", ["file", "file/within"])
def test_what_is_no_folder_is_told_before_a_lesson_runs(capsys, tmp_path, monkeypatch, place):
    def lesson():
        raise AssertionError("a lesson was run")

    (tmp_path / "file").touch()
    monkeypatch.setattr(handout, "all_notebooks", lesson)
    assert handout.main(["--out", str(tmp_path / place)]) == 1
    one_sentence(capsys, "another --out FOLDER")


def test_a_folder_of_the_course_that_lies_elsewhere_is_refused(capsys, tmp_path, monkeypatch):
    course, disk = tmp_path / "course", tmp_path / "another disk"
    for folder in (course, disk):
        folder.mkdir()
    (course / ".venv").symlink_to(disk)
    monkeypatch.setattr(handout, "ROOT", course)
    assert handout.main(["--out", str(course / ".venv/x")]) == 1
    one_sentence(capsys, "the course's own folder")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"cells": 1}', "\ud800".encode("utf-8", "replace").decode()]
)
def test_a_broken_notebook_is_one_sentence_and_writes_nothing(capsys, tmp_path, monkeypatch, text):
    broken = tmp_path / "01_broken.ipynb"
    broken.write_text(text, encoding="utf-8")
    monkeypatch.setattr(handout, "all_notebooks", lambda: [broken])
    assert handout.main(["--out", str(tmp_path / "out")]) == 1
    one_sentence(capsys, "01_broken.ipynb is no notebook")
    assert not (tmp_path / "out").exists()


def test_a_notebook_of_ones_own_among_the_lessons_is_left_out(tmp_path, monkeypatch):
    for name in ("02_b.ipynb", "01_a.ipynb", "Mine.ipynb", ".01_a.ipynb", "2024 notes.ipynb"):
        (tmp_path / name).touch()
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    assert [path.name for path in all_notebooks()] == ["01_a.ipynb", "02_b.ipynb"]


def test_what_was_there_before_stays_whole_when_a_lesson_cannot_be_made(tmp_path, monkeypatch):
    shutil.copy(LESSONS[0], tmp_path)
    (path,) = tmp_path.glob("*.ipynb")
    handout.write(path, tmp_path / "out", still=True)
    before = {file: file.read_bytes() for file in (tmp_path / "out").rglob("*.*")}
    nb = notebook(path)
    nb.cells[-1].source = r"$\unheard$"
    nbformat.write(nb, path)
    with pytest.raises(ValueError, match=f"{path.name}: the formula"):
        handout.write(path, tmp_path / "out", still=True)
    assert {file: file.read_bytes() for file in (tmp_path / "out").rglob("*.*")} == before
