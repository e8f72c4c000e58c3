"""A language model is asked for a film: who is asked, against whom, and how the answers count."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from recsys_lab import EASE, load_asked, load_movielens
from tools import ask
from tools.notebooks import ROOT


@pytest.fixture(scope="module")
def asked():
    return ask.questions()


def test_the_hidden_film_is_liked_and_none_of_the_others_was_seen(asked):
    R = load_movielens()[0].matrix.toarray()
    for person, history, films in zip(
        asked["people"], asked["history"], asked["films"], strict=True
    ):
        assert len(set(films[:25])) == 25 and len({films[0], *films[25:]}) == 25
        assert not set(history) & set(films)
        if person >= 0:
            assert (R[person, [*history, films[0]]] >= 4).all()
            assert (R[person, films[1:]] == 0).all()


def test_against_films_as_popular_popularity_is_no_help(asked):
    people = asked["people"] >= 0
    found = ask.area(asked["popularity"][people], slice(25, None))
    assert abs(found.mean() - 0.5) < 0.02
    assert ask.area(asked["popularity"][people], slice(1, 25)).mean() > 0.8


def test_ease_is_the_packages_for_people_who_are_not_in_it():
    rng = np.random.default_rng(0)
    R = (rng.random((12, 30)) < 0.3).astype(float)
    history = np.array([[0, 3, 7], [1, 2, 9]])
    found = ask.ease_scores(R, history)
    G = R.T @ R + ask.LAM * np.eye(30)
    P = np.linalg.inv(G)
    B = np.eye(30) - P / np.diag(P)
    x = np.zeros((2, 30))
    np.put_along_axis(x, history, 1, axis=1)
    assert np.allclose(found, x @ B)
    assert np.allclose(ask.ease_scores(R, np.flatnonzero(R[0])[None])[0], R[0] @ B)
    assert np.allclose(EASE(ask.LAM).fit(R).scores([0])[0], R[0] @ B)


def test_an_area_is_the_share_below_with_a_tie_for_a_half():
    scores = np.array([[2.0, 1, 2, 3, 0], [5, 1, 1, 1, 9]])
    assert ask.area(scores, slice(1, None)).tolist() == [2.5 / 4, 3 / 4]


def test_a_sequel_carries_its_first_parts_title():
    movies = load_movielens()[1]
    for first, second in ask.sequels(movies):
        assert movies["title"].iloc[second].startswith(movies["title"].iloc[first])


def test_the_stored_answers_belong_to_the_questions(asked):
    stored = load_asked()
    for name, values in asked.items():
        assert np.allclose(stored[name], values, atol=1e-4), name
    said = stored["Gemma 3 270M/with/love"]
    assert said.shape == asked["films"].shape
    assert np.nanmax(said) < 0


def test_answers_of_other_models_stay_whatever_another_run_or_machine_does(
    asked, tmp_path, monkeypatch, capsys
):
    def run(name, meanwhile=lambda: None):
        def answered(reader, asked, say, kept, keep, seconds):
            meanwhile()
            keep(kept | {"with/love": np.zeros(2)})
            return {
                f"{part}/{p}": asked["EASE"] for part in ("with", "without") for p in ask.PROMPTS
            }

        monkeypatch.setattr(ask, "ask", answered)
        ask.main(["model.gguf", "--name", name])

    monkeypatch.setattr(ask, "FOLDER", tmp_path)
    monkeypatch.setattr(ask, "Reader", lambda path, threads: None)
    monkeypatch.setattr(ask, "questions", lambda: asked)
    (tmp_path / "README.md").write_text(f"{'0' * 64}  answers.npz\n", "utf-8")
    path = tmp_path / "answers.npz"
    run("big")
    ease = asked["EASE"].copy()
    ease[0, 0] = np.nextafter(ease[0, 0], 9)  # another BLAS
    monkeypatch.setattr(ask, "questions", lambda: asked | {"EASE": ease})
    other = {"other/with/love": np.ones(2)}
    run("small", lambda: ask.store(path, ask.stored(path) | other))
    names = {f"{name}/with/love" for name in ("big", "small", "other")}
    assert set(ask.stored(path)) == names | set(asked)
    said = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (tmp_path / "README.md").read_text("utf-8") == f"{said}  answers.npz\n"
    monkeypatch.setattr(ask, "questions", lambda: asked | {"films": asked["films"] + 1})
    with pytest.raises(SystemExit, match="answers to other questions: move it away"):
        run("small")
    assert set(ask.stored(path)) == names | set(asked)


def test_nobody_is_no_number_of_people(capsys):
    with pytest.raises(SystemExit):
        ask.main(["model.gguf", "--people", "0"])
    assert "--people 0: ask about 1 or more" in capsys.readouterr().err


def test_without_the_package_or_the_file_it_says_so_in_a_sentence():
    command = [sys.executable, "-m", "tools.ask", "nowhere.gguf"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install llama-cpp-python" in done.stderr or "no file nowhere.gguf" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_title_without_history_is_asked_once_and_gets_what_it_would_get_alone(asked, monkeypatch):
    monkeypatch.setattr(ask, "PROMPTS", {"love": ask.PROMPTS["love"]})
    said = []

    class Reader:
        def log_likelihoods(self, before, texts):
            said.extend((before, text) for text in texts)
            return [-float(len(before) + len(text)) for text in texts]

    some = {name: values[:3] for name, values in asked.items()}
    some["films"] = some["films"].copy()
    some["films"][1, :5] = some["films"][0, :5]  # two people share films
    found = ask.ask(Reader(), some, lambda text: None, {}, lambda kept: None)
    alone = [text for before, text in said if before == ask.WITHOUT["love"]]
    assert len(alone) < some["films"].size and max(map(alone.count, alone)) <= 2
    assert (found["without/love"][0, :5] == found["without/love"][1, :5]).all()
    longer = found["without/love"] - found["with/love"]
    assert (longer == longer[:, :1]).all() and (longer > 0).all()
