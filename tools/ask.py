"""Ask a language model for a film: make `data/asked`, which the lesson on large models reads.

    python -m tools.ask MODEL.gguf                  any language model in a GGUF file
    python -m tools.ask MODEL.gguf --name "My 7B"   under this name, beside what is there
    python -m tools.ask MODEL.gguf --people 20      a first look, printed and not kept

The model is not trained. It is asked how likely a title is, as the next words after `Films that I
love: A, B, C. Another film that I love is`: one film that the person likes, hidden among 24
others. Nothing is fetched: the file is yours. Reading it needs the package `llama-cpp-python`,
which the course does not install.

What was asked already is kept after every tenth row, and not asked again: an interrupted run goes
on where it stopped.
"""

import argparse
import hashlib
import io
import os
import re
import sys
import time
from pathlib import Path

import numpy as np

from recsys_lab import load_movielens, text
from recsys_lab.course.status import any_console, progress_line
from recsys_lab.data.datasets import DATA

FOLDER = DATA / "asked"
PEOPLE, HISTORY, OTHERS = 200, 8, 24
LIKED = 4.0  # stars from which on a film counts as liked
LAM = 300.0  # EASE's penalty: what lesson 11 chose on this log
SEQUELS = 60
# (before the films, between two, after the last; what ends the asked title; with the year?), and
# the same without any film. The end is asked too: or *Alien* would win whatever *Aliens* deserves.
PROMPTS = {
    "love": ("Films that I love: {}. Another film that I love is", ", ", ".", False),
    "list": ("My favourite films, in no order:\n- {}\n-", "\n- ", "\n", True),
    "people": ("People who liked {} also liked", " and ", ".", False),
}
WITHOUT = {
    "love": "Another film that I love is",
    "list": "My favourite films, in no order:\n-",
    "people": "People also liked",
}


def questions(seed: int = 0) -> dict[str, np.ndarray]:
    """Draw the people, and for each 8 liked films, the hidden one, 24 at random, 24 as popular.

    All film positions: `history` is people x 8, `films` people x 49, the hidden one first. The
    scores of popularity and EASE, which have learned from everybody who is *not* asked, come with
    them. The last rows are no people but sequels: the hidden film is the next part of one of the 8,
    which shows whether the method can find anything at all.
    """
    data, movies = load_movielens()
    rng = np.random.default_rng(seed)
    R = data.matrix
    has = R.toarray() > 0
    likes = R.toarray() >= LIKED
    enough = np.flatnonzero(likes.sum(axis=1) > HISTORY)
    asked = np.sort(rng.choice(enough, PEOPLE, replace=False))
    rest = np.setdiff1d(np.arange(len(has)), asked)
    counts = has[rest].sum(axis=0)
    history, films = [], []
    for person in asked:
        drawn = rng.permutation(np.flatnonzero(likes[person]))
        # The most popular films have no equals: hidden is one with enough others above it.
        unseen = counts[~has[person]]
        above = (unseen[:, None] > counts[drawn]).sum(axis=0) >= OTHERS // 2
        hidden = drawn[above.argmax()]
        history.append(drawn[drawn != hidden][:HISTORY])
        films.append([hidden, *others(hidden, ~has[person], counts, rng)])
    famous = np.argsort(-counts, kind="stable")[:400]
    first, second = np.array(sequels(movies)).T
    told = counts[second] > 2
    for at in rng.choice(np.flatnonzero(told), SEQUELS, replace=False):
        drawn = rng.choice(np.setdiff1d(famous, [first[at], second[at]]), HISTORY - 1, False)
        history.append(rng.permutation([first[at], *drawn]))
        free = np.ones(len(counts), bool)
        free[history[-1]] = False
        films.append([second[at], *others(second[at], free, counts, rng)])
    history, films = np.array(history), np.array(films)
    ease = ease_scores(has[rest].astype(float), history)
    return {
        "people": np.append(asked, np.full(SEQUELS, -1)).astype(np.int16),
        "history": history.astype(np.int16),
        "films": films.astype(np.int16),
        "popularity": counts[films].astype(np.float32),
        "EASE": np.take_along_axis(ease, films, axis=1).astype(np.float32),
    }


def others(hidden, free, counts, rng):
    """24 films at random, and 24 as popular: the nearest 12 above, and 12 below. None is seen."""
    free = free.copy()
    free[hidden] = False
    films = rng.permutation(np.flatnonzero(free))
    films_by_count = films[np.argsort(counts[films], kind="stable")]
    # Where films have as many people as the hidden one, it stands in their middle.
    ends = [
        np.searchsorted(counts[films_by_count], counts[hidden], side) for side in ("left", "right")
    ]
    middle, half = sum(ends) // 2, OTHERS // 2
    return [*films[:OTHERS], *films_by_count[middle - half : middle + half]]


def ease_scores(R, history):
    """EASE learned from R, asked about people of whom 8 films are known (Woodbury's identity)."""
    inverse = np.linalg.inv(np.eye(len(R)) + R @ R.T / LAM)
    x = np.zeros((len(history), R.shape[1]))
    np.put_along_axis(x, history, 1, axis=1)
    projected = inverse @ R
    diagonal = 1 - (R * projected).sum(axis=0) / LAM
    return x - (x - (x @ R.T) @ projected / LAM) / diagonal


def sequels(movies) -> list[tuple[int, int]]:
    """Pairs of films: a title, and the same title with II or 2."""
    at = {name: place for place, name in enumerate(movies["title"])}
    pairs = []
    for name, place in at.items():
        found = re.fullmatch(r"(.+?):? (?:II|2|Part II|Part 2)(?:[: ].*)?", str(name))
        if found and found[1] in at:
            pairs.append((at[found[1]], place))
    return pairs


class Reader:
    """A language model that says how likely a text is after another one."""

    # Titles that are read side by side after the same words, and places for all their tokens.
    TOGETHER, PLACES = 16, 768

    def __init__(self, path, threads):
        try:
            import llama_cpp
        except ImportError:
            sys.exit(
                "Reading a GGUF file needs one more package: pip install llama-cpp-python (it is "
                "built on your machine, which takes some minutes)."
            )
        if not Path(path).is_file():
            sys.exit(f"There is no file {path}: give the path of a language model in a GGUF file.")
        # The class of the package reads one text at a time; the functions below it read many.
        self.lib = lib = llama_cpp
        self.quiet = lib.llama_log_callback(lambda *_: None)
        lib.llama_log_set(self.quiet, None)
        lib.llama_backend_init()
        self.model = lib.llama_model_load_from_file(
            str(path).encode(), lib.llama_model_default_params()
        )
        if not self.model:
            sys.exit(f"{path} is no language model in a GGUF file that this runtime can read.")
        given = lib.llama_context_default_params()
        given.n_ctx = given.n_batch = given.n_ubatch = self.PLACES
        given.n_seq_max = self.TOGETHER + 1
        given.n_threads = given.n_threads_batch = threads
        given.kv_unified = given.swa_full = True
        self.context = lib.llama_init_from_model(self.model, given)
        self.memory = lib.llama_get_memory(self.context)
        self.vocabulary = lib.llama_model_get_vocab(self.model)
        self.size = lib.llama_vocab_n_tokens(self.vocabulary)
        self.batch = lib.llama_batch_init(self.PLACES, 0, 1)

    def tokens(self, words, begins) -> list[int]:
        """The tokens of a text."""
        data, room = words.encode(), len(words.encode()) + 8
        found = (self.lib.llama_token * room)()
        count = self.lib.llama_tokenize(
            self.vocabulary, data, len(data), found, room, begins, False
        )
        return list(found[:count])

    def _read(self, rows) -> None:
        """Read (token, place, text, whether what comes next is asked) together."""
        batch = self.batch
        batch.n_tokens = len(rows)
        for i, (token, place, text_number, asked) in enumerate(rows):
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = token, place, 1
            batch.seq_id[i][0], batch.logits[i] = text_number, asked
        if self.lib.llama_decode(self.context, batch):
            raise RuntimeError("the model could not read the texts: are they too long?")

    def _logits(self, i):
        found = self.lib.llama_get_logits_ith(self.context, i)
        return np.ctypeslib.as_array(found, (self.size,))

    def log_likelihoods(self, before, texts) -> list[float]:
        """The log-likelihood of each text after the same words, in nats."""
        lib, found = self.lib, []
        lib.llama_memory_clear(self.memory, True)
        prompt = self.tokens(before, True)
        last = len(prompt) - 1
        self._read([(token, i, 0, i == last) for i, token in enumerate(prompt)])
        first = self._logits(last).copy()
        total = log_sum(first)
        for start in range(0, len(texts), self.TOGETHER):
            asked = [self.tokens(each, False) for each in texts[start : start + self.TOGETHER]]
            rows = []
            for number, tokens in enumerate(asked, start=1):
                lib.llama_memory_seq_rm(self.memory, number, -1, -1)
                lib.llama_memory_seq_cp(self.memory, 0, number, -1, -1)
                rows += [(t, last + 1 + i, number, True) for i, t in enumerate(tokens[:-1])]
            if rows:
                self._read(rows)
            at = 0
            for tokens in asked:
                sum_ = float(first[tokens[0]]) - total
                for token in tokens[1:]:
                    row = self._logits(at)
                    sum_ += float(row[token]) - log_sum(row)
                    at += 1
                found.append(sum_)
        return found


def log_sum(row) -> float:
    top = row.max()
    return float(top + np.log(np.exp(row - top).sum()))


def ask(reader, asked, say, kept, keep, seconds=np.inf) -> dict[str, np.ndarray]:
    """Ask about everybody: for each prompt, people x 49 log-likelihoods with and without history.

    The rows come in an order that was drawn, so that those of an unfinished run are a fair sample.
    """
    start = time.process_time()
    _, movies = load_movielens()
    plain = text.film_texts(movies, year=False, genres=False)
    dated = text.film_texts(movies, genres=False)
    shape = asked["films"].shape
    for part in ("with", "without"):
        for prompt in PROMPTS:
            kept.setdefault(f"{part}/{prompt}", np.full(shape, np.nan, np.float32))
    order = np.random.default_rng(0).permutation(len(asked["films"]))
    for prompt, (words, between, end, year) in PROMPTS.items():
        names = dated if year else plain
        alone = {}  # film -> its log-likelihood without history: the same for everybody
        for count, row in enumerate(order):
            history, films = asked["history"][row], asked["films"][row]
            if not np.isnan(kept[f"without/{prompt}"][row]).any():
                alone |= dict(zip(films, kept[f"without/{prompt}"][row], strict=True))
                continue
            if time.process_time() - start > seconds:
                break
            told = words.format(between.join(names[j] for j in history))
            titles = [f" {names[j]}{end}" for j in films]
            kept[f"with/{prompt}"][row] = reader.log_likelihoods(told, titles)
            new = [j for j in films if j not in alone]
            titles = [f" {names[j]}{end}" for j in new]
            found = reader.log_likelihoods(WITHOUT[prompt], titles)
            alone |= dict(zip(new, found, strict=True))
            kept[f"without/{prompt}"][row] = [alone[j] for j in films]
            say(f"{prompt}: {count + 1} of {len(order)} asked")
            if count % 10 == 9:
                keep(kept)
    keep(kept)
    return kept


def area(scores, columns) -> np.ndarray:
    """For each person: the share of the others below the hidden film, a tie for a half."""
    hidden, rest = scores[:, :1], scores[:, columns]
    return ((rest < hidden) + (rest == hidden) / 2).mean(axis=1)


def summary(asked, found) -> str:
    """The areas as a table."""
    parts = {"random": slice(1, 1 + OTHERS), "as popular": slice(1 + OTHERS, None)}
    rows = {name: asked[name] for name in ("popularity", "EASE")}
    rows |= found
    rows |= {f"difference/{p}": found[f"with/{p}"] - found[f"without/{p}"] for p in PROMPTS}
    lines = []
    for kind, who in {"people": asked["people"] >= 0, "sequels": asked["people"] < 0}.items():
        for name, scores in rows.items():
            done = who & ~np.isnan(scores).any(axis=1)
            if not done.any():
                continue
            cells = []
            for columns in parts.values():
                each = area(scores[done], columns)
                error = 1.96 * each.std() / np.sqrt(max(len(each), 1))
                cells.append(f"{each.mean():.3f} +- {error:.3f}")
            lines.append(f"{kind} ({done.sum()}) {name:20} {'   '.join(cells)}")
    return "\n".join([f"area against {', '.join(parts)}", *lines])


def stored(path) -> dict[str, np.ndarray]:
    """What a file holds, or nothing."""
    if not path.is_file():
        return {}
    with np.load(path) as arrays:
        return dict(arrays)


def store(path, arrays) -> None:
    """Write the whole file or none of it, and its checksum into the README."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    part = path.with_suffix(".part")
    part.write_bytes(file.getvalue())
    part.replace(path)
    readme = path.parent / "README.md"
    if readme.is_file():
        digest = hashlib.sha256(file.getvalue()).hexdigest()
        line = rf"(?m)^[0-9a-f]{{64}}(?=  {re.escape(path.name)})"
        text = re.sub(line, digest, readme.read_text("utf-8"))
        part.write_text(text, "utf-8", newline="\n")
        part.replace(readme)


def main(arguments: list[str]) -> None:
    """Ask one model."""
    any_console()
    parser = argparse.ArgumentParser(prog="python -m tools.ask", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("model", help="a GGUF file")
    parser.add_argument("--name", default=None, help="what to call the model; else the file's name")
    parser.add_argument("--people", type=int, default=None, help="ask about so many, and keep none")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--minutes", type=float, default=np.inf, help="stop then, and go on later")
    options = parser.parse_args(arguments)
    if options.people is not None and options.people < 1:
        parser.error(f"--people {options.people}: ask about 1 or more, or leave it out for all")
    reader, asked = Reader(options.model, options.threads), questions()
    name = options.name or Path(options.model).stem
    path, start = FOLDER / "answers.npz", time.process_time()
    if options.people is not None:
        people = np.flatnonzero(asked["people"] >= 0)[: options.people]
        some = np.append(people, np.flatnonzero(asked["people"] < 0)[: options.people // 3])
        asked = {key: values[some] for key, values in asked.items()}
        found = ask(reader, asked, progress_line(), {}, lambda kept: None)
    else:
        FOLDER.mkdir(parents=True, exist_ok=True)
        before = stored(path)
        # What was drawn has to be the same; EASE's last digits are the machine's.
        drawn = ("people", "history", "films")
        if before and not all(np.array_equal(before.get(key), asked[key]) for key in drawn):
            sys.exit(
                f"{path} holds the answers to other questions: move it away, and all models are "
                "asked anew."
            )
        mine = tuple(f"{name}/{part}/" for part in ("with", "without"))
        answers = {k.removeprefix(f"{name}/"): v for k, v in before.items() if k.startswith(mine)}

        def keep(kept):
            # Read again: another run may have added its answers.
            store(path, stored(path) | asked | {f"{name}/{k}": v for k, v in kept.items()})

        found = ask(reader, asked, progress_line(), answers, keep, 60 * options.minutes)
    print(summary(asked, found))
    print(f"{time.process_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main(sys.argv[1:])
