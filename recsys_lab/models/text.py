"""From text to numbers: bags of words, TF-IDF, and a Transformer encoder in plain numpy.

The encoder is all-MiniLM-L6-v2: a BERT (Devlin et al. 2019) of 6 layers, made small (Wang et al.
2020) and taught to lay sentences of like meaning near each other (Reimers and Gurevych 2019). Its
weights lie in ``data/minilm`` and are read when the first text is encoded. Public as a whole:
``from recsys_lab import text``.
"""

import io
import re
import unicodedata
import warnings
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.special import erf

from ..course.files import ROOT, checksums
from ..course.status import progress_line
from ..data.datasets import as_folder, read_checked
from ..data.interactions import as_matrix, as_path, as_yes_or_no, shown
from .baselines import NO_LABEL

MINILM = ROOT / "data" / "minilm"
LAYERS, HEADS, WIDTH = 6, 12, 384
# Pieces of a text that are read, [CLS] and [SEP] included: those it was trained with.
LENGTH = 128
# In each layer norm, so that nothing is divided by 0: that of the trained model.
EPSILON = 1e-12
# Word pieces that go through the layers at once: more are no faster, and take memory.
PIECES_AT_ONCE = 1024
# A longer word is no word: BERT's own limit, which keeps the search for pieces short.
LONGEST_WORD = 100
DROPPED = {"Cc", "Cf", "Cs", "Co"}
# The blocks of Chinese characters, which BERT sets apart.
CHINESE = [
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
]
# What MovieLens puts behind the title: the articles of the languages that its films come in.
ARTICLE = r"^(.+), (The|A|An|La|Le|Les|L'|Il|Lo|I|Gli|El|Los|Las|Der|Die|Das|Det|Den|En|De|Het)$"


# --- words as features ------------------------------------------------------------------------


def words(text: str) -> list[str]:
    """Cut a text into words: lower case, two letters or digits or more, all else is a gap.

    Examples
    --------
    >>> words("Monsters, Inc. II: A Bug's Life")
    ['monsters', 'inc', 'ii', 'bug', 'life']
    """
    if not isinstance(text, str):
        raise ValueError(f"text={shown(text)}: give a string")
    return re.findall(r"(?u)\b\w\w+\b", text.lower())


def bag_of_words(texts) -> tuple[sp.csr_array, list[str]]:
    """Count each text's words.

    Parameters
    ----------
    texts : n strings

    Returns
    -------
    counts : n x d csr_array, how often word j is in text i
    vocabulary : the d words that are in a text, in the order of the alphabet

    Raises
    ------
    ValueError
        If ``texts`` is one string, or an entry is no string.

    Examples
    --------
    >>> counts, vocabulary = bag_of_words(["Toy Story", "Toy Story 22", "A Love Story, a Story"])
    >>> vocabulary
    ['22', 'love', 'story', 'toy']
    >>> counts.toarray().astype(int).tolist()
    [[0, 0, 1, 1], [1, 0, 1, 1], [0, 1, 2, 0]]
    """
    split = [words(text) for text in _as_texts(texts)]
    vocabulary = sorted({word for each in split for word in each})
    column = {word: j for j, word in enumerate(vocabulary)}
    row = np.repeat(np.arange(len(split)), [len(each) for each in split])
    at = np.array([column[word] for each in split for word in each], dtype=int)
    # Made from coordinates, so that a word that comes twice is added up.
    counts = sp.csr_array((np.ones(len(at)), (row, at)), shape=(len(split), len(vocabulary)))
    counts.sum_duplicates()
    return counts, vocabulary


def idf(counts) -> np.ndarray:
    """Weigh words by how rare they are: ln((1 + n) / (1 + df)) + 1, df the texts with the word.

    The ones act as a further text that has each word once: no division by 0. scikit-learn's form.

    Parameters
    ----------
    counts : n x d, dense or scipy.sparse

    Returns
    -------
    d numbers, 1 for a word that is in every text

    References
    ----------
    K. Spärck Jones (1972). A statistical interpretation of term specificity and its application in
    retrieval. Journal of Documentation 28, 11-21. doi:10.1108/eb026526
    """
    counts = sp.csr_array(as_matrix(counts, "counts"))
    n, d = counts.shape
    with_it = np.bincount(counts.indices[counts.data != 0], minlength=d)
    return np.log((1 + n) / (1 + with_it)) + 1


def tfidf(counts) -> sp.csr_array:
    """Multiply counts by ``idf``, and scale each text to length 1.

    Parameters
    ----------
    counts : n x d, dense or scipy.sparse

    Returns
    -------
    n x d csr_array
        The product of two rows is the cosine of their texts; a text without words stays 0.
    """
    counts = sp.csr_array(as_matrix(counts, "counts"))
    weighted = sp.csr_array(counts.multiply(idf(counts)))
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    length[length == 0] = 1
    return sp.csr_array(weighted.multiply(1 / length[:, None]))


def film_texts(movies, *, title: bool = True, year: bool = True, genres: bool = True) -> list[str]:
    """Write what is known of each film as a text: ``Toy Story (1995). Adventure, Animation``.

    An article at the end goes to the front: ``Postman, The (Postino, Il)`` becomes ``The Postman
    (Il Postino)``.

    Parameters
    ----------
    movies : DataFrame with title, year and genres, as ``load_movielens`` gives it
    title, year, genres : bool
        What to say. A film of which nothing is known is called "Untitled".

    Raises
    ------
    ValueError
        If all three are False, or ``movies`` lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> film = {"title": ["Quick and the Dead, The"], "year": [1995], "genres": ["Action|Western"]}
    >>> film_texts(pd.DataFrame(film), year=False)
    ['The Quick and the Dead. Action, Western']
    >>> film_texts(pd.DataFrame(film), title=False)
    ['1995. Action, Western']
    """
    if not isinstance(movies, pd.DataFrame) or not {"title", "year", "genres"} <= set(movies):
        raise ValueError(
            f"movies={shown(movies)}: give a DataFrame with the columns title, year and genres"
        )
    as_yes_or_no(title, "title"), as_yes_or_no(year, "year"), as_yes_or_no(genres, "genres")
    if not (title or year or genres):
        raise ValueError("title, year and genres are all False: leave at least one to be said")
    texts = []
    years = movies["year"].astype("float64").fillna(0).astype(int)
    for name, when, kinds in zip(movies["title"], years, movies["genres"], strict=True):
        said = _article_first(name) if title and isinstance(name, str) else ""
        if year and when:
            said = f"{said} ({when})" if said else str(when)
        known = genres and isinstance(kinds, str) and kinds != NO_LABEL
        parts = [said, kinds.replace("|", ", ") if known else ""]
        texts.append(". ".join(filter(None, parts)) or "Untitled")
    return texts


def _article_first(title: str) -> str:
    """Move ', The' and its like to the front, also inside of parentheses."""
    parts = re.split(r"( \(|\))", title)
    return "".join(re.sub(ARTICLE, _put_first, part) for part in parts)


def _put_first(match):
    rest, article = match.groups()
    return f"{article}{rest}" if article.endswith("'") else f"{article} {rest}"


# --- word pieces ------------------------------------------------------------------------------


class WordPieces:
    """Cut texts into the pieces of a vocabulary, as BERT does: the longest that fits comes first.

    Lower case, accents dropped, each punctuation mark and each Chinese character apart. A piece
    that goes on with a word begins with ##. A word that cannot be put together is one [UNK].

    Parameters
    ----------
    vocabulary : list of str
        Piece i has number i; [PAD], [UNK], [CLS] and [SEP] are among them.

    References
    ----------
    Y. Wu and others (2016). Google's neural machine translation system: bridging the gap between
    human and machine translation. arXiv:1609.08144, section 4.1.

    Examples
    --------
    >>> special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    >>> pieces = WordPieces([*special, "robot", "##s", "am", "##elie", "!"])
    >>> pieces.split("Robots, Amélie!")
    ['robot', '##s', '[UNK]', 'am', '##elie', '!']
    """

    def __init__(self, vocabulary):
        self.vocabulary = list(vocabulary)
        self.number = {piece: i for i, piece in enumerate(self.vocabulary)}
        missing = {"[PAD]", "[UNK]", "[CLS]", "[SEP]"} - set(self.number)
        if missing:
            raise ValueError(f"vocabulary lacks {', '.join(sorted(missing))}: add them to it")

    def split(self, text: str, most: int | None = None) -> list[str]:
        """Return the pieces of a text, in order; it stops when it has more than ``most``."""
        found = []
        for word in _bert_words(text):
            found += self._split_word(word)
            if most is not None and len(found) > most:
                break
        return found

    def _split_word(self, word):
        if len(word) > LONGEST_WORD:
            return ["[UNK]"]
        found, start = [], 0
        while start < len(word):
            before = "##" if start else ""
            for end in range(len(word), start, -1):
                if before + word[start:end] in self.number:
                    break
            else:
                return ["[UNK]"]
            found.append(before + word[start:end])
            start = end
        return found


def _bert_words(text):
    """Yield the words and the punctuation marks of a text, in lower case and without accents."""
    # Decomposed, an accented letter is the letter and a mark of category Mn. Letter by letter: a
    # sigma at the end of a word is no other letter here.
    text = unicodedata.normalize("NFD", "".join(_spaced(letter).lower() for letter in text))
    for word in text.split():
        part = ""
        for letter in word:
            kind = unicodedata.category(letter)
            if kind == "Mn":
                continue
            if kind[0] == "P" or (letter.isascii() and not letter.isalnum()):
                yield from filter(None, [part, letter])
                part = ""
            else:
                part += letter
        if part:
            yield part


def _spaced(letter):
    """Set a Chinese character apart, and drop what is no text."""
    if any(first <= ord(letter) <= last for first, last in CHINESE):
        return f" {letter} "
    if letter.isspace():
        return " "
    # Control and format characters, and what stands for a damaged one. What Python does not know
    # yet, such as an emoji of next year, stays.
    return "" if unicodedata.category(letter) in DROPPED or letter == "\ufffd" else letter


# --- the encoder ------------------------------------------------------------------------------


def softmax(x) -> np.ndarray:
    """Turn numbers into shares along the last axis: exp(x) / sum exp(x), without an overflow."""
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def layer_norm(x, gain, bias) -> np.ndarray:
    """Bring each row to mean 0 and variance 1, then stretch and shift its coordinates.

    References
    ----------
    A. Vaswani et al. (2017). Attention is all you need. NeurIPS 30, section 3.1.
    """
    x = x - x.mean(axis=-1, keepdims=True)
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + EPSILON) * gain + bias


def gelu(x) -> np.ndarray:
    """Let x pass by the share of a standard normal below it: x Phi(x), a ReLU without a corner.

    References
    ----------
    D. Hendrycks and K. Gimpel (2016). Gaussian error linear units (GELUs). arXiv:1606.08415.
    """
    return x * (0.5 + 0.5 * erf(x * np.float32(0.5**0.5)))


class TextEncoder:
    """Turn English texts into vectors that lie near each other where the texts mean alike.

    A text is cut into word pieces, [CLS] before and [SEP] after them. Each piece starts as a row of
    a table plus one for its place; in each of six layers the pieces look at each other (attention)
    and then go through a small network alone. The mean over the pieces, at length 1, is the vector.

    Texts of equal length go through the layers together, so nothing is padded and a vector does not
    depend on which other texts were given. It reads 128 pieces; what is longer is cut, with a
    warning. Nothing is read from the disk before the first call.

    Parameters
    ----------
    folder : str or Path
        With ``weights.npz`` and ``vocab.txt``; its README's checksums are compared.

    References
    ----------
    A. Vaswani et al. (2017). Attention is all you need. NeurIPS 30, equation 1 and section 3.2.2.
    J. Devlin, M.-W. Chang, K. Lee and K. Toutanova (2019). BERT: pre-training of deep bidirectional
    transformers for language understanding. NAACL-HLT, 4171-4186. doi:10.18653/v1/N19-1423
    W. Wang et al. (2020). MiniLM: deep self-attention distillation for task-agnostic compression of
    pre-trained transformers. NeurIPS 33.
    N. Reimers and I. Gurevych (2019). Sentence-BERT: sentence embeddings using siamese
    BERT-networks. EMNLP-IJCNLP, 3982-3992. doi:10.18653/v1/D19-1410

    Examples
    --------
    >>> vectors = TextEncoder().encode(["That is a happy person", "That is a happy dog"])
    >>> vectors.shape, f"{vectors[0] @ vectors[1]:.2f}"
    ((2, 384), '0.70')
    """

    def __init__(self, folder: str | Path = MINILM):
        self.folder = as_path(folder, "folder")

    @cached_property
    def word_pieces(self) -> WordPieces:
        """The cutter of texts, with the vocabulary of ``vocab.txt``."""
        return WordPieces(self._read("vocab.txt").decode().splitlines())

    def pieces(self, text: str) -> list[str]:
        """Return the pieces of a text that are read, [CLS] and [SEP] among them."""
        (text,) = _as_texts([text])
        return ["[CLS]", *self.word_pieces.split(text, LENGTH)[: LENGTH - 2], "[SEP]"]

    def remark(self, text: str) -> str:
        """Say in a sentence what cannot be read of a text, or nothing.

        That is an empty text, one that is cut, and pieces that the vocabulary lacks, as those of a
        text in Chinese or of an emoji.
        """
        (text,) = _as_texts([text])
        found = self.word_pieces.split(text, LENGTH)
        if not found:
            return "The text is empty: there is nothing to read."
        said = []
        if len(found) > LENGTH - 2:
            said.append(f"The text is cut: only its first {LENGTH - 2} pieces are read.")
        found = found[: LENGTH - 2]
        unknown = found.count("[UNK]")
        if unknown:
            share = "all" if unknown == len(found) else f"{unknown} of the {len(found)}"
            said.append(f"Unknown to its English vocabulary ([UNK]): {share} pieces.")
        return " ".join(said)

    def weight(self, name: str) -> np.ndarray:
        """Return one of the trained arrays in float32, such as "embeddings.LayerNorm.weight".

        A dense weight is out x in, so a layer computes ``x @ weight.T + bias``.

        Raises
        ------
        ValueError
            If there is none of that name.
        """
        if name not in self._weights:
            near = [known for known in self._weights if name.rpartition(".")[0] in known][:3]
            raise ValueError(
                f"name={name!r} is no weight: there is, for example, {', '.join(near)}"
            )
        stored = self._weights[name]
        if f"{name}.scale" in self._weights:
            stored = stored * self._weights[f"{name}.scale"][:, None]
        return stored

    def encode(self, texts) -> np.ndarray:
        """Return a vector of length 1 for each text.

        Parameters
        ----------
        texts : list of str

        Returns
        -------
        len(texts) x 384 array, float32

        Raises
        ------
        ValueError
            If ``texts`` is one string, an entry is no string or holds nothing to read, or a file
            in ``folder`` was changed.
        FileNotFoundError
            If one is missing.

        Warns
        -----
        UserWarning
            If a text is cut, or all of its pieces are unknown: see ``remark``.
        """
        texts = _as_texts(texts)
        cut = [self.word_pieces.split(text, LENGTH) for text in texts]
        for i, found in enumerate(cut):
            if not found:
                raise ValueError(f"texts[{i}] is {texts[i]!r}: leave it out, or give it a word")
            if len(found) > LENGTH - 2 or set(found) == {"[UNK]"}:
                warnings.warn(f"texts[{i}]: {self.remark(texts[i])}", stacklevel=2)
        numbers = [self._numbers(found) for found in cut]
        result = np.empty((len(texts), WIDTH), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(numbers[i]))
        show, first = progress_line(), 0
        try:
            while first < len(order):
                length = len(numbers[order[first]])
                last = min(first + max(1, PIECES_AT_ONCE // length), len(order))
                batch = [i for i in order[first:last] if len(numbers[i]) == length]
                x = self._embed(np.array([numbers[i] for i in batch]))
                for layer in range(LAYERS):
                    x, _ = self._layer(x, layer)
                mean = x.mean(axis=1)
                result[batch] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
                first += len(batch)
                if len(order) > 1:
                    filled = 12 * first // len(order)
                    show(f"[{'#' * filled}{'.' * (12 - filled)}] {first} of {len(order)} texts")
        finally:
            show("")
        return result

    def states(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """Return what the encoder computes on its way through one text of T pieces.

        Returns
        -------
        states : 7 x T x 384, before the first layer and after each
        attention : 6 x 12 x T x T
            Entry l, h, i, j: the share that piece i takes of piece j in head h of layer l.
        """
        found = self.pieces(text)
        x = self._embed(np.array([self._numbers(found[1:-1])]))
        states, attention = [x[0]], []
        for layer in range(LAYERS):
            x, shares = self._layer(x, layer)
            states.append(x[0])
            attention.append(shares[0])
        return np.array(states), np.array(attention)

    def _read(self, name):
        return read_checked(as_folder(self.folder, name) / name, checksums(MINILM)[name])

    def _numbers(self, found):
        number = self.word_pieces.number
        return [number[piece] for piece in ("[CLS]", *found[: LENGTH - 2], "[SEP]")]

    @cached_property
    def _weights(self):
        with np.load(io.BytesIO(self._read("weights.npz"))) as stored:
            return {name: stored[name] for name in stored.files}

    @cached_property
    def _layers(self):
        # Small and used again for each text: kept in float32. The table of pieces stays in int8.
        names = [name for name in self._weights if name.startswith("encoder.layer.")]
        dense = {name: self.weight(name) for name in names if not name.endswith(".scale")}
        return [
            {
                name.removeprefix(f"encoder.layer.{layer}."): value
                for name, value in dense.items()
                if name.startswith(f"encoder.layer.{layer}.")
            }
            for layer in range(LAYERS)
        ]

    def _embed(self, numbers):
        """B x T piece numbers -> B x T x 384."""
        table = "embeddings.word_embeddings.weight"
        x = self._weights[table][numbers] * self._weights[f"{table}.scale"][numbers][..., None]
        x = x + self.weight("embeddings.position_embeddings.weight")[: numbers.shape[1]]
        x += self.weight("embeddings.token_type_embeddings.weight")[0]
        return self._norm(x, self._weights, "embeddings.LayerNorm")

    def _layer(self, x, layer):
        """B x T x 384 -> the same, and the attention, B x 12 x T x T."""
        w = self._layers[layer]
        size, length, _ = x.shape
        # Two-dimensional products: numpy hands these to the fast library as they are.
        x = x.reshape(-1, WIDTH)

        def dense(x, name):
            return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

        def heads(name):
            each = dense(x, f"attention.self.{name}").reshape(size, length, HEADS, WIDTH // HEADS)
            return each.transpose(0, 2, 1, 3)

        query, key, value = heads("query"), heads("key"), heads("value")
        shares = softmax(query @ key.transpose(0, 1, 3, 2) / np.float32((WIDTH // HEADS) ** 0.5))
        mixed = (shares @ value).transpose(0, 2, 1, 3).reshape(-1, WIDTH)
        x = self._norm(x + dense(mixed, "attention.output.dense"), w, "attention.output.LayerNorm")
        inner = gelu(dense(x, "intermediate.dense"))
        x = self._norm(x + dense(inner, "output.dense"), w, "output.LayerNorm")
        return x.reshape(size, length, WIDTH), shares

    @staticmethod
    def _norm(x, weights, name):
        return layer_norm(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _as_texts(texts):
    if isinstance(texts, str):
        raise ValueError(f"texts is one string, {texts[:40]!r}: give a list of strings")
    try:
        texts = list(texts)
    except TypeError:
        raise ValueError(f"texts is {shown(texts)}: give a list of strings") from None
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"texts[{i}] is {shown(text)}: give a string")
    return texts
