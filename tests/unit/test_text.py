"""Text: against scikit-learn, `tokenizers`, Keras' attention and published numbers."""

import shutil
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from recsys_lab import load_movielens, text
from recsys_lab.models.text import LENGTH, MINILM, TextEncoder, WordPieces

ENCODER = TextEncoder()
TITLES = [
    "Toy Story",
    "Toy Story 2, a story",
    "Un prophète & Amélie",
    "",
    "M",
    "It's a Wonderful Life",
]


def test_bags_and_tfidf_are_those_of_scikit_learn():
    films = [*TITLES, *text.film_texts(load_movielens()[1])[:3000]]
    counts, vocabulary = text.bag_of_words(films)
    theirs = CountVectorizer().fit(films)
    assert vocabulary == theirs.get_feature_names_out().tolist()
    assert (counts != theirs.transform(films)).nnz == 0
    model = TfidfVectorizer().fit(films)
    np.testing.assert_allclose(text.idf(counts), model.idf_, rtol=1e-14)
    assert abs(text.tfidf(counts) - model.transform(films)).max() < 1e-14


def test_a_text_without_words_is_a_row_of_zeros_and_no_nan():
    weights = text.tfidf(text.bag_of_words(TITLES)[0]).toarray()
    assert not weights[3:5].any()
    np.testing.assert_allclose(np.linalg.norm(weights[[0, 1, 2, 5]], axis=1), 1)


def test_films_are_written_with_the_article_in_front():
    movies = pd.DataFrame(
        {
            "title": [
                "City of Lost Children, The (Cité des enfants perdus, La)",
                "Enfer, L'",
                None,
            ],
            "year": pd.array([1995, None, None], dtype="Int64"),
            "genres": ["Adventure|Sci-Fi", "(no genres listed)", "(no genres listed)"],
        }
    )
    first = "The City of Lost Children (La Cité des enfants perdus)"
    assert text.film_texts(movies) == [
        f"{first} (1995). Adventure, Sci-Fi",
        "L'Enfer",
        "Untitled",
    ]
    assert text.film_texts(movies, year=False, genres=False)[0] == first
    assert text.film_texts(movies, title=False, genres=False) == ["1995", "Untitled", "Untitled"]
    with pytest.raises(ValueError, match="leave at least one"):
        text.film_texts(movies, title=False, year=False, genres=False)


# What the package tokenizers 0.23.3 gives (BertWordPieceTokenizer with this vocabulary).
PIECES = {
    "Toy Story (1995). Adventure, Animation": "toy story ( 1995 ) . adventure , animation",
    "Amélie (Le fabuleux destin d'Amélie Poulain)": (
        "amelie ( le fa ##bu ##le ##ux des ##tin d ' amelie po ##ula ##in )"
    ),
    "Se7en, WALL·E & Koyaanisqatsi!": "se ##7 ##en , wall · e & ko ##ya ##ani ##s ##qa ##ts ##i !",
    "don't pay $5.99 (50% off) ~ `now`": "don ' t pay $ 5 . 99 ( 50 % off ) ~ ` now `",
    "naïve Ærøskøbing İstanbul ΑΣ ½ straße": (
        "naive æ ##r ##ø ##sk ##ø ##bing istanbul α ##σ ½ st ##raße"
    ),
    "a\u200bb c\ufffdd\ttab\xa0space": "ab cd tab space",
    "电影院 tonight": "[UNK] [UNK] [UNK] tonight",
    "🎬 x🎬y": "[UNK] [UNK]",
    "antidisestablishmentarianism": "anti ##dis ##est ##ab ##lish ##ment ##arian ##ism",
    "x" * 101: "[UNK]",
    "—dash–“quoted”…": "— dash – “ quoted ” …",
    "日本語 한국어": "日 本 語 ᄒ ##ᅡ ##ᆫ ##ᄀ ##ᅮ ##ᆨ ##ᄋ ##ᅥ",
    " \n": "",
}


@pytest.mark.parametrize("given", PIECES, ids=lambda given: ascii(given)[:20])
def test_word_pieces_are_those_of_the_reference(given):
    assert " ".join(ENCODER.word_pieces.split(given)) == PIECES[given]


def test_a_vocabulary_without_the_special_pieces_is_refused():
    with pytest.raises(ValueError, match=r"lacks \[CLS\], \[SEP\]"):
        WordPieces(["[PAD]", "[UNK]", "a"])


def test_similarities_are_the_published_ones():
    person, dog, very, day = ENCODER.encode(
        [
            "That is a happy person",
            "That is a happy dog",
            "That is a very happy person",
            "Today is a sunny day",
        ]
    )
    # Published for float32 weights; int8 moves a similarity by at most 0.006 (data/minilm).
    assert person @ dog == pytest.approx(0.6945, abs=0.006)
    assert person @ very == pytest.approx(0.9429, abs=0.006)
    assert person @ day == pytest.approx(0.2569, abs=0.006)


def test_a_vector_has_length_one_and_no_regard_for_its_company():
    texts = [
        "a robot falls in love",
        "short",
        "a very much longer text about two robots in love",
    ] * 3
    together = ENCODER.encode(texts)
    assert together.shape == (9, 384) and together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-6)
    alone = np.vstack([ENCODER.encode([each]) for each in texts])
    # float32, other orders of addition.
    np.testing.assert_allclose(together, alone, atol=2e-6)
    assert ENCODER.encode([]).shape == (0, 384)


def test_a_layer_is_that_of_keras_with_the_same_weights():
    keras = pytest.importorskip("keras")
    states, attention = ENCODER.states("The Shawshank Redemption (1994). Crime, Drama")
    layer, x = 2, states[2]

    def weight(name):
        return ENCODER.weight(f"encoder.layer.{layer}.{name}")

    attend = keras.layers.MultiHeadAttention(12, 32)
    attend.build(x[None].shape, x[None].shape)
    parts = []
    for name in ("query", "key", "value"):
        parts.append(weight(f"attention.self.{name}.weight").T.reshape(384, 12, 32))
        parts.append(weight(f"attention.self.{name}.bias").reshape(12, 32))
    parts.append(weight("attention.output.dense.weight").T.reshape(12, 32, 384))
    parts.append(weight("attention.output.dense.bias"))
    attend.set_weights(parts)
    mixed, shares = attend(x[None], x[None], return_attention_scores=True)
    np.testing.assert_allclose(attention[layer], np.asarray(shares)[0], atol=1e-5)

    def norm_of(x, name):
        normed = keras.layers.LayerNormalization(epsilon=1e-12)
        normed.build(x.shape)
        normed.set_weights([weight(f"{name}.weight"), weight(f"{name}.bias")])
        return np.asarray(normed(x))

    x = norm_of(x + np.asarray(mixed)[0], "attention.output.LayerNorm")
    inner = x @ weight("intermediate.dense.weight").T + weight("intermediate.dense.bias")
    inner = np.asarray(keras.activations.gelu(inner, approximate=False))
    x = norm_of(
        x + inner @ weight("output.dense.weight").T + weight("output.dense.bias"),
        "output.LayerNorm",
    )
    np.testing.assert_allclose(states[3], x, atol=2e-5)


def test_states_end_in_the_vector():
    states, attention = ENCODER.states("a robot falls in love")
    pieces = ENCODER.pieces("a robot falls in love")
    assert pieces == ["[CLS]", "a", "robot", "falls", "in", "love", "[SEP]"]
    assert states.shape == (7, 7, 384) and attention.shape == (6, 12, 7, 7)
    np.testing.assert_allclose(attention.sum(axis=-1), 1, rtol=1e-5)
    mean = states[-1].mean(axis=0)
    vector = ENCODER.encode(["a robot falls in love"])[0]
    np.testing.assert_allclose(mean / np.linalg.norm(mean), vector, atol=2e-6)


def test_softmax_layer_norm_and_gelu_are_their_definitions():
    x = np.random.default_rng(0).normal(size=(3, 5))
    np.testing.assert_allclose(text.softmax(x), np.exp(x) / np.exp(x).sum(1, keepdims=True))
    assert text.softmax(np.array([1000.0, 1000.0])).tolist() == [0.5, 0.5]
    normed = text.layer_norm(x, np.ones(5), np.zeros(5))
    np.testing.assert_allclose([normed.mean(1), normed.var(1)], [[0] * 3, [1] * 3], atol=1e-9)
    np.testing.assert_allclose(text.gelu(x), x * norm.cdf(x), atol=1e-7)


def test_what_cannot_be_read_is_said():
    assert ENCODER.remark("a robot") == ""
    assert "empty" in ENCODER.remark(" \n ")
    assert "first 126 pieces" in ENCODER.remark("word " * 10_000)
    assert "Unknown to its English vocabulary ([UNK]): 2 of the 3 pieces." in ENCODER.remark(
        "🎬 电 film"
    )
    with pytest.warns(UserWarning, match="is cut"):
        long = ENCODER.encode(["word " * 10_000])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(long, ENCODER.encode(["word " * (LENGTH - 2)]), atol=1e-6)
    with pytest.warns(UserWarning, match="Unknown .* all pieces"):
        ENCODER.encode(["电影院"])


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ("a robot", "one string.*give a list"),
        (["a robot", None], r"texts\[1\] is None: give a string"),
        (["a robot", 3.5], r"texts\[1\] is 3.5: give a string"),
        (["a robot", ""], r"texts\[1\] is '': leave it out"),
        (["\t"], r"texts\[0\] is .*leave it out"),
        (None, "texts is None: give a list"),
    ],
)
def test_what_is_no_text_is_refused(texts, says):
    with pytest.raises(ValueError, match=says):
        ENCODER.encode(texts)
    if texts != ["a robot", ""] and texts != ["\t"]:
        with pytest.raises(ValueError, match=says):
            text.bag_of_words(texts)


def test_an_unknown_weight_is_refused_with_its_neighbours():
    with pytest.raises(ValueError, match=r"is no weight.*embeddings.LayerNorm.weight"):
        ENCODER.weight("embeddings.LayerNorm.gain")


def test_a_damaged_or_missing_file_gets_one_sentence(tmp_path):
    copy = shutil.copytree(MINILM, tmp_path / "minilm")
    with open(copy / "weights.npz", "ab") as file:
        file.write(b"\n")
    with pytest.raises(ValueError, match=r"weights\.npz.*sha256.*restore the original"):
        TextEncoder(copy).encode(["a"])
    (copy / "vocab.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"vocab\.txt.*recsys_lab check"):
        TextEncoder(str(copy)).encode(["a"])


def test_a_sentence_takes_less_than_60_ms_of_processor_time():
    ENCODER.encode(["a robot"])
    taken = []
    for _ in range(7):
        start = time.process_time()
        ENCODER.encode(["a robot falls in love"])
        taken.append(time.process_time() - start)
    assert np.median(taken) < 0.06
