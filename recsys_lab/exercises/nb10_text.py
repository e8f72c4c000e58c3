"""The exercises of notebook 10, Content and text: idf, attention, a map, a hybrid, a likeness."""

import numpy as np

from .engine import Mistake, define, expect, expect_close, expect_shape
from .questions import Choice, define_quiz

# --- How rare is a word? ------------------------------------------------------------------------


@define(
    "text.idf",
    notebook=10,
    hints=[
        "Which texts have word j at all? `counts > 0` is True there, however often they have it. "
        "Add up down each column.",
        "`df = (counts > 0).sum(axis=0)` are the texts with each word, and `n = len(counts)` all "
        "texts. `np.log` is the natural logarithm.",
    ],
)
def idf(counts):
    """Return each word's idf: ln((1 + n) / (1 + df)) + 1, d numbers.

    counts: n texts x d words, how often word j is in text i. df: how many texts have the word.
    """
    df = (counts > 0).sum(axis=0)
    return np.log((1 + len(counts)) / (1 + df)) + 1


@idf.wrong(
    "You added up the counts: df is the number of *texts* with the word, and a text that has it "
    "three times is one text."
)
def counts_occurrences(counts):
    return np.log((1 + len(counts)) / (1 + counts.sum(axis=0))) + 1


@idf.wrong("You left out the ones in the fraction: (1 + n) / (1 + df).")
def leaves_out_the_ones(counts):
    with np.errstate(divide="ignore"):
        return np.log(len(counts) / (counts > 0).sum(axis=0)) + 1


@idf.wrong("You added 1 below the line only: it is 1 + n above it.")
def adds_one_below(counts):
    return np.log(len(counts) / (1 + (counts > 0).sum(axis=0))) + 1


@idf.wrong("You left out the 1 that is added at the end: a word of every text would weigh nothing.")
def leaves_out_the_last_one(counts):
    return idf.reference(counts) - 1


@idf.wrong("You turned the fraction over: rare words have to weigh more, so df is below the line.")
def turns_it_over(counts):
    return 2 - idf.reference(counts)


@idf.wrong("You left out the logarithm.")
def without_the_logarithm(counts):
    return (1 + len(counts)) / (1 + (counts > 0).sum(axis=0)) + 1


@idf.wrong("You took the logarithm to base 2: `np.log` is the natural one, ln.")
def takes_base_two(counts):
    return np.log2((1 + len(counts)) / (1 + (counts > 0).sum(axis=0))) + 1


@idf.wrong("You took the logarithm to base 10: `np.log` is the natural one, ln.")
def takes_base_ten(counts):
    return np.log10((1 + len(counts)) / (1 + (counts > 0).sum(axis=0))) + 1


@idf.wrong("You put the last 1 into the logarithm: take the logarithm of the fraction, then add 1.")
def puts_all_into_the_logarithm(counts):
    return np.log((1 + len(counts)) / (1 + (counts > 0).sum(axis=0)) + 1)


@idf.wrong("You took d, the number of words, for n: n is the number of texts, `len(counts)`.")
def takes_the_words_for_texts(counts):
    return np.log((1 + counts.shape[1]) / (1 + (counts > 0).sum(axis=0))) + 1


@idf.wrong(expects="is it transposed")
def counts_along_the_texts(counts):
    return np.log((1 + len(counts)) / (1 + (counts > 0).sum(axis=1))) + 1


@idf.wrong("You multiplied by the counts: asked for is one weight a word, the same in all texts.")
def gives_tfidf(counts):
    return counts * idf.reference(counts)


@idf.right
def goes_word_by_word(counts):
    n = len(counts)
    return np.array([np.log1p(n) - np.log1p(np.count_nonzero(each)) + 1 for each in counts.T])


@idf.right
def counts_with_signs(counts):
    share = (1 + np.sign(counts).sum(axis=0)) / (1 + counts.shape[0])
    return 1 - np.log(share)


def _weights(got, counts):
    """Demand a number for each word."""
    array = np.asarray(got, dtype=float) if not hasattr(got, "toarray") else got.toarray()
    n, d = counts.shape
    expect(
        array.shape != (n,) or n == d,
        f"It returned {n} numbers, one for each text; asked for is one for each of the {d} words. "
        "Add up over the texts: axis 0. Or is it transposed?",
    )
    return expect_shape(got, (d,))


# Five texts, three words: in one text (five times), in two, in all.
COUNTS = np.array([[5, 0, 2], [0, 1, 1], [0, 3, 1], [0, 0, 7], [0, 0, 4]])


@idf.wrong("Your df is the number of all texts, for every word: ask `counts > 0`, not `>= 0`.")
def counts_every_text(counts):
    return np.ones(counts.shape[1])


@idf.wrong("A word that a text has once is in it: ask `counts > 0`.")
def leaves_out_what_occurs_once(counts):
    df = (counts > 1).sum(axis=0)
    return np.log((1 + len(counts)) / (1 + df)) + 1


@idf.wrong("Division comes before addition: put brackets around 1 + n, and around 1 + df.")
def forgets_the_brackets(counts):
    df = (counts > 0).sum(axis=0)
    return np.log(1 + len(counts) / 1 + df) + 1


@idf.wrong("`//` cuts off what stands behind the point of the fraction: write / in its place.")
def cuts_the_fraction_off(counts):
    df = (counts > 0).sum(axis=0)
    return np.log((1 + len(counts)) // (1 + df)) + 1


@idf.wrong("You counted all filled cells at once: each word has its own df, `sum(axis=0)`.")
def counts_all_cells(counts):
    return np.log((1 + len(counts)) / (1 + (counts > 0).sum())) + 1


@idf.wrong("np.log1p adds another 1: take np.log of the fraction.")
def adds_one_in_the_logarithm(counts):
    df = (counts > 0).sum(axis=0)
    return np.log1p((1 + len(counts)) / (1 + df)) + 1


@idf.check("a small case by hand")
def _(answer):
    got = answer(COUNTS)
    expect_close(
        got if np.shape(got) == COUNTS.shape else _weights(got, COUNTS),
        idf.reference(COUNTS),
        "Of 5 texts, 1 has the first word, 2 the second, 5 the third: ln(6/2) + 1 = 2.099, "
        "ln(6/3) + 1 = 1.693, ln(6/6) + 1 = 1.",
    )


@idf.check("random cases")
def _(answer):
    for seed, shape in enumerate([(7, 4), (3, 5), (1, 3), (6, 1)]):
        counts = np.random.default_rng(seed).poisson(0.8, shape) * (1 + seed % 2)
        expect_close(_weights(answer(counts), counts), idf.reference(counts))


@idf.check("edge cases")
def _(answer):
    counts = np.array([[0, 2, 1.0], [0, 0, 3.0]])
    got = _weights(answer(counts), counts)
    expect(np.isfinite(got).all(), "A word that no text has gives no finite number: df is 0 there.")
    expect_close(got, idf.reference(counts), "The first word is in no text: ln(3/1) + 1.")


# --- Attention ----------------------------------------------------------------------------------


@define(
    "text.attention",
    notebook=10,
    hints=[
        "`Q @ K.T` holds every query times every key, one row a query. Divide by the root of d, "
        "the number of columns of Q.",
        "Each row becomes shares: take `np.exp` of it, and divide by the sum of its own row, "
        "`sum(axis=1, keepdims=True)`. Subtract the row's largest number first, so that exp stays "
        "finite.",
        "The shares, T x T, times V mix the values: `shares @ V`.",
    ],
)
def attention(Q, K, V):
    """Return softmax(Q K^T / root of d) V: each piece's mixture of values, T x d_v.

    Q, K: T x d, a query and a key for each piece; V: T x d_v, their values. The softmax makes
    shares of each query's row; numbers may be as large as 1,000.
    """
    x = Q @ K.T / np.sqrt(Q.shape[1])
    x = np.exp(x - x.max(axis=1, keepdims=True))
    return x / x.sum(axis=1, keepdims=True) @ V


def _soft(x, axis=1):
    x = np.exp(x - x.max(axis=axis, keepdims=True))
    return x / x.sum(axis=axis, keepdims=True)


@attention.wrong(
    "Your softmax runs down the columns: each *query*, a row, has to spread a share of 1 over the "
    "keys, so sum over axis 1."
)
def softmax_over_the_queries(Q, K, V):
    return _soft(Q @ K.T / np.sqrt(Q.shape[1]), axis=0) @ V


@attention.wrong(
    "You did not scale: divide the products by the root of d, or with many coordinates one share "
    "takes all."
)
def does_not_scale(Q, K, V):
    return _soft(Q @ K.T) @ V


@attention.wrong(
    "You divided by d: the products of d random numbers spread like the *root* of d, so divide by "
    "that."
)
def divides_by_d(Q, K, V):
    return _soft(Q @ K.T / Q.shape[1]) @ V


@attention.wrong(
    "You multiplied by the root of d: that makes the products still larger. Divide by it."
)
def multiplies_by_the_root(Q, K, V):
    return _soft(Q @ K.T * np.sqrt(Q.shape[1])) @ V


@attention.wrong(
    "You took T, the number of pieces, for d: d is the number of columns of Q, `Q.shape[1]`."
)
def scales_by_the_pieces(Q, K, V):
    return _soft(Q @ K.T / np.sqrt(len(Q))) @ V


@attention.wrong(
    "You took the columns of V for d: the products are those of queries and keys, so d is "
    "`Q.shape[1]`."
)
def scales_by_the_values(Q, K, V):
    return _soft(Q @ K.T / np.sqrt(V.shape[1])) @ V


@attention.wrong("Your softmax divides by the sum of the whole table: each row has to add up to 1.")
def softmax_over_all(Q, K, V):
    return _soft(Q @ K.T / np.sqrt(Q.shape[1]), axis=None) @ V


@attention.wrong("You exchanged queries and keys: row i holds query i times all keys, `Q @ K.T`.")
def exchanges_queries_and_keys(Q, K, V):
    return _soft(K @ Q.T / np.sqrt(Q.shape[1])) @ V


@attention.wrong("You mixed by columns: row i of the shares belongs to query i, `shares @ V`.")
def mixes_with_the_transpose(Q, K, V):
    return _soft(Q @ K.T / np.sqrt(Q.shape[1])).T @ V


@attention.wrong("You left out the softmax: products may be negative, and shares may not.")
def leaves_out_the_softmax(Q, K, V):
    return Q @ K.T / np.sqrt(Q.shape[1]) @ V


@attention.wrong("You left out exp: shares are made of exp(x), not of x.")
def leaves_out_exp(Q, K, V):
    x = Q @ K.T / np.sqrt(Q.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return x / x.sum(axis=1, keepdims=True) @ V


@attention.wrong("You left the shares undivided: after exp, divide each row by its sum.")
def does_not_normalise(Q, K, V):
    x = Q @ K.T / np.sqrt(Q.shape[1])
    return np.exp(x - x.max(axis=1, keepdims=True)) @ V


@attention.wrong("You took the value of the largest share alone: mix all, each with its share.")
def takes_the_largest(Q, K, V):
    return V[(Q @ K.T).argmax(axis=1)]


@attention.wrong(
    "You returned the shares, T x T: multiply them with V, which is what the pieces pass on."
)
def returns_the_shares(Q, K, V):
    return _soft(Q @ K.T / np.sqrt(Q.shape[1]))


@attention.wrong(
    "You scaled after the softmax: divide the products by the root of d first, then make shares."
)
def scales_after(Q, K, V):
    return _soft(Q @ K.T) / np.sqrt(Q.shape[1]) @ V


@attention.wrong(
    "You hid what comes later (a causal mask, as GPT does): here each piece looks at all pieces."
)
def hides_the_future(Q, K, V):
    x = Q @ K.T / np.sqrt(Q.shape[1])
    return _soft(np.where(np.tri(len(Q), dtype=bool), x, -np.inf)) @ V


@attention.wrong(expects="exp overflowed")
def overflows(Q, K, V):
    with np.errstate(over="ignore", invalid="ignore"):
        x = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
        return x / x.sum(axis=1, keepdims=True) @ V


@attention.right
def goes_query_by_query(Q, K, V):
    rows = []
    for query in Q:
        x = K @ query / len(query) ** 0.5
        x = np.exp(x - max(x))
        rows.append(sum(share * value for share, value in zip(x / x.sum(), V, strict=True)))
    return np.array(rows)


@attention.right
def asks_scipy(Q, K, V):
    from scipy.special import softmax

    return softmax(np.einsum("td,sd->ts", Q, K) / np.sqrt(Q.shape[-1]), axis=-1) @ V


# Three pieces, d = 4, d_v = 2: all sizes differ, and so do all the slips.
QUERIES = np.array([[2.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 3]])
KEYS = np.array([[1.0, 0, 0, 0], [0, 3, 0, 1], [3, 0, 5, 0]])
VALUES = np.array([[1.0, 0], [0, 10], [100, 7]])


@attention.wrong(
    "Your sums lie flat, and numpy divides the columns by them: keepdims=True keeps one for each "
    "row."
)
def forgets_keepdims(Q, K, V):
    x = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return x / x.sum(axis=1) @ V


@attention.wrong(
    "Your largest numbers lie flat, and numpy takes them off the columns: keepdims=True keeps one "
    "for each row."
)
def forgets_keepdims_of_the_largest(Q, K, V):
    x = Q @ K.T / np.sqrt(Q.shape[1])
    x = np.exp(x - x.max(axis=1))
    return x / x.sum(axis=1, keepdims=True) @ V


@attention.wrong("You multiplied queries with queries: each query meets the keys, `Q @ K.T`.")
def takes_queries_for_keys(Q, K, V):
    return _soft(Q @ Q.T / np.sqrt(Q.shape[1])) @ V


@attention.wrong("You mixed the keys: the shares mix the values, `shares @ V`.")
def mixes_the_keys(Q, K, V):
    return _soft(Q @ K.T / np.sqrt(Q.shape[1])) @ K


@attention.wrong("You took cosines: the products stay as they are, divided by the root of d.")
def takes_cosines(Q, K, V):
    with np.errstate(all="ignore"):
        q = Q / np.linalg.norm(Q, axis=1, keepdims=True)
        k = K / np.linalg.norm(K, axis=1, keepdims=True)
    return _soft(q @ k.T) @ V


@attention.check("a small case by hand")
def _(answer):
    got = answer(QUERIES, KEYS, VALUES)
    if np.shape(got) == (3, 3):
        raise Mistake(
            "You returned the shares, T x T: multiply them with V, which is what the pieces pass "
            "on."
        )
    expect_close(
        got,
        attention.reference(QUERIES, KEYS, VALUES),
        "The first query's products are 2, 0, 6; over the root of 4: 1, 0, 3; their shares are "
        "0.114, 0.042, 0.844, and the first row is 0.114 x (1, 0) + 0.042 x (0, 10) + "
        "0.844 x (100, 7) = (84.494, 6.327).",
    )


@attention.check("random cases")
def _(answer):
    for seed, (length, d, d_v) in enumerate([(5, 3, 4), (2, 8, 3), (6, 1, 5), (4, 7, 1)]):
        rng = np.random.default_rng(seed)
        Q, K = rng.normal(size=(2, length, d))
        V = rng.normal(size=(length, d_v))
        expect_close(answer(Q, K, V), attention.reference(Q, K, V))


@attention.check("edge cases")
def _(answer):
    rng = np.random.default_rng(9)
    one = rng.normal(size=(3, 1, 6))
    expect_close(answer(*one), one[2], "A single piece can look at itself alone: it keeps its V.")
    Q, K, V = (rng.integers(-3, 4, (4, size)) for size in (5, 5, 2))
    expect_close(answer(Q, K, V), attention.reference(Q, K, V), "Whole numbers are as good.")
    got = expect_shape(answer(1000 * Q, K, V), (4, 2))
    expect(
        np.isfinite(got).all(),
        "With products of a thousand exp overflowed: subtract each row's largest number before "
        "exp. Shares do not change when all numbers of a row are lowered alike.",
    )
    expect_close(got, attention.reference(1000 * Q, K, V))


# --- From features to factors -------------------------------------------------------------------


@define(
    "text.ridge_map",
    notebook=10,
    hints=[
        "It is lesson 03's half step with other letters: features in place of factors. The "
        "gradient is zero where (X^T X + lam I) W = X^T V.",
        "X^T X is d x d, so the identity is `np.eye(X.shape[1])`. `np.linalg.solve(A, B)` gives "
        "A^-1 B.",
    ],
)
def ridge_map(X, V, lam):
    """Return the W (d x k) that minimises |V - X W|^2 + lam |W|^2.

    X: n films x d features; V: n films x k factors; lam > 0. |.|^2 adds up all squares.
    """
    return np.linalg.solve(X.T @ X + lam * np.eye(X.shape[1]), X.T @ V)


def _ridge(X, V, penalty):
    return np.linalg.solve(X.T @ X + penalty, X.T @ V)


@ridge_map.wrong(
    "You took 2 lam: that belongs to ALS's J, whose fit has a 1/2 before it. Here both squares "
    "have a factor of 1, and lam stays lam."
)
def takes_two_lam(X, V, lam):
    return _ridge(X, V, 2 * lam * np.eye(X.shape[1]))


@ridge_map.wrong("You left out the penalty: add lam to the diagonal of X^T X.")
def leaves_out_the_penalty(X, V, lam):
    return np.linalg.lstsq(X, V)[0]


@ridge_map.wrong("You squared lam: it stands before |W|^2 as it is.")
def squares_lam(X, V, lam):
    return _ridge(X, V, lam**2 * np.eye(X.shape[1]))


@ridge_map.wrong(
    "You added lam to all entries of X^T X: the penalty has no products of two weights, so it is "
    "on the diagonal alone, `lam * np.eye(d)`."
)
def adds_to_all_entries(X, V, lam):
    return _ridge(X, V, lam)


@ridge_map.wrong("You subtracted the penalty: it is added to the diagonal.")
def subtracts_the_penalty(X, V, lam):
    return _ridge(X, V, -lam * np.eye(X.shape[1]))


@ridge_map.wrong("You penalised the mean error: lam is not multiplied by the number of films.")
def multiplies_by_the_films(X, V, lam):
    return _ridge(X, V, len(X) * lam * np.eye(X.shape[1]))


@ridge_map.wrong("You divided lam by the number of films: the fit is a sum, not a mean.")
def divides_by_the_films(X, V, lam):
    return _ridge(X, V, lam / len(X) * np.eye(X.shape[1]))


@ridge_map.wrong("You scaled each feature's penalty with X^T X: lam is the same for every weight.")
def penalises_by_size(X, V, lam):
    return _ridge(X, V, lam * np.diag(np.diag(X.T @ X)))


@ridge_map.wrong("You returned the guesses X W, a row a film: asked for is the map W, d x k.")
def returns_the_guesses(X, V, lam):
    return X @ ridge_map.reference(X, V, lam)


@ridge_map.wrong(
    "You shrank the solution without penalty: a penalty shrinks weak directions of X more than "
    "strong ones, so it belongs into the equation."
)
def shrinks_afterwards(X, V, lam):
    return np.linalg.lstsq(X, V)[0] / (1 + lam)


@ridge_map.wrong("You mapped factors to features: V is to be guessed from X.")
def maps_the_other_way(X, V, lam):
    return np.linalg.solve(V.T @ V + lam * np.eye(V.shape[1]), V.T @ X)


@ridge_map.wrong("You returned W transposed: rows are features, columns are factors.")
def returns_it_transposed(X, V, lam):
    return ridge_map.reference(X, V, lam).T


@ridge_map.wrong("You did not solve: X^T V has to be multiplied by the inverse of X^T X + lam I.")
def does_not_solve(X, V, lam):
    return X.T @ V


@ridge_map.right
def solves_in_the_space_of_films(X, V, lam):
    return X.T @ np.linalg.solve(X @ X.T + lam * np.eye(len(X)), V)


@ridge_map.right
def stacks_the_penalty(X, V, lam):
    d, k = X.shape[1], V.shape[1]
    rows = np.vstack([X, np.sqrt(lam) * np.eye(d)])
    return np.linalg.lstsq(rows, np.vstack([V, np.zeros((d, k))]))[0]


@ridge_map.right
def inverts(X, V, lam):
    return np.linalg.inv(X.T @ X + lam * np.identity(X.shape[1])) @ (X.T @ V)


# Five films, two features, three factors.
FEATURES = np.array([[1.0, 0], [1, 1], [2, 0], [1, 3], [0, 1]])
FACTORS = np.array([[3.0, 0, 1], [2, 5, 0], [7, 0, 1], [0, 11, -2], [1, 4, 0]])


@ridge_map.wrong("You subtracted the features' means: X stays as it is.")
def centres_the_features(X, V, lam):
    return ridge_map.reference(X - X.mean(axis=0), V, lam)


@ridge_map.wrong("You added lam on the right side as well: there stands X^T V alone.")
def adds_lam_on_the_right(X, V, lam):
    return np.linalg.solve(X.T @ X + lam * np.eye(X.shape[1]), X.T @ V + lam)


@ridge_map.check("a small case by hand")
def _(answer):
    got, wanted = answer(FEATURES, FACTORS, 3.0), ridge_map.reference(FEATURES, FACTORS, 3.0)
    for shape, says in [
        ((5, 3), "You returned the guesses X W, a row a film: asked for is the map W, d x k."),
        ((3, 2), "It has shape (3, 2): W is d x k, rows are features and columns are factors."),
    ]:
        expect(np.shape(got) != shape, says)
    expect_close(
        got,
        wanted,
        "X^T X is [[7, 4], [4, 11]], so the left side is [[10, 4], [4, 14]], and X^T V is "
        "[[19, 16, 1], [3, 42, -6]].",
    )


@ridge_map.check("random cases")
def _(answer):
    for seed, (n, d, k) in enumerate([(9, 4, 2), (3, 5, 4), (6, 1, 3), (7, 3, 1)]):
        rng = np.random.default_rng(seed)
        X, V, lam = rng.normal(size=(n, d)), rng.normal(size=(n, k)), rng.uniform(0.2, 3) + seed
        expect_close(answer(X, V, lam), ridge_map.reference(X, V, lam), tol=1e-7)


@ridge_map.check("edge cases")
def _(answer):
    X, V = np.eye(3, 4, dtype=int), np.arange(6).reshape(3, 2)
    expect_close(
        answer(X, V, 1),
        ridge_map.reference(X, V, 1),
        "A feature that no film has gets weights of 0, and whole numbers are as good.",
    )


# --- A guess from text, and what behaviour adds -------------------------------------------------


@define(
    "text.hybrid",
    notebook=10,
    hints=[
        "Set the gradient in v to zero. Each of the three sums gives a matrix that multiplies v; "
        "two of them also give a vector without v.",
        "The matrix: `fans.T @ fans + w * others.T @ others + mu * np.eye(len(guess))`.",
        "The vector: the fans' factors added up, `fans.sum(axis=0)`, plus `mu * guess`. "
        "`np.linalg.solve` does the rest.",
    ],
)
def hybrid(fans, others, w, guess, mu):
    """Return the v that minimises |1 - fans v|^2 + w |others v|^2 + mu |v - guess|^2: k numbers.

    fans: the factors of those who have the film, a row a person; others: those of all others;
    guess: k numbers from the film's text; w, mu > 0.
    """
    A = fans.T @ fans + w * others.T @ others + mu * np.eye(len(guess))
    return np.linalg.solve(A, fans.sum(axis=0) + mu * guess)


def _solved(fans, others, w, guess, mu, right):
    return np.linalg.solve(fans.T @ fans + w * others.T @ others + mu * np.eye(len(guess)), right)


@hybrid.wrong(
    "You pulled v towards 0: the penalty is |v - guess|^2, so mu * guess stands on the right side."
)
def pulls_towards_zero(fans, others, w, guess, mu):
    return _solved(fans, others, w, guess, mu, fans.sum(axis=0))


@hybrid.wrong("You added the guess without its weight: on the right side stands mu * guess.")
def adds_the_guess_unweighted(fans, others, w, guess, mu):
    return _solved(fans, others, w, guess, mu, fans.sum(axis=0) + guess)


@hybrid.wrong(
    "You solved with a pull towards 0 and added the guess: then text counts in full, however many "
    "have the film. The guess belongs into the equation."
)
def adds_the_guess_afterwards(fans, others, w, guess, mu):
    return _solved(fans, others, w, guess, mu, fans.sum(axis=0)) + guess


@hybrid.wrong("You left out the others: w O^T others belongs to the matrix.")
def leaves_out_the_others(fans, others, w, guess, mu):
    A = fans.T @ fans + mu * np.eye(len(guess))
    return np.linalg.solve(A, fans.sum(axis=0) + mu * guess)


@hybrid.wrong("You gave the others the weight 1: their sum is multiplied by w.")
def weighs_the_others_fully(fans, others, w, guess, mu):
    return hybrid.reference(fans, others, 1, guess, mu)


@hybrid.wrong("You left out the penalty: add mu to the diagonal, and mu * guess to the right side.")
def leaves_out_the_penalty_of_hybrid(fans, others, w, guess, mu):
    return np.linalg.pinv(fans.T @ fans + w * others.T @ others) @ fans.sum(axis=0)


@hybrid.wrong(
    "You left mu off the diagonal: it belongs on both sides, or the guess is added and nothing "
    "pulls to it."
)
def penalises_on_the_right_only(fans, others, w, guess, mu):
    return np.linalg.pinv(fans.T @ fans + w * others.T @ others) @ (fans.sum(axis=0) + mu * guess)


@hybrid.wrong("You took 2 mu: no square here has a 1/2 before it, so mu stays mu.")
def takes_two_mu(fans, others, w, guess, mu):
    return hybrid.reference(fans, others, w, guess, 2 * mu)


@hybrid.wrong(
    "You multiplied mu by the number of fans: then behaviour can never overtake the guess."
)
def grows_mu_with_the_fans(fans, others, w, guess, mu):
    return hybrid.reference(fans, others, w, guess, mu * len(fans))


@hybrid.wrong("You averaged the fans' factors: the right side is their sum.")
def averages_the_fans(fans, others, w, guess, mu):
    return _solved(fans, others, w, guess, mu, fans.mean(axis=0) + mu * guess)


@hybrid.wrong(
    "You wanted 1 from the others as well: their target is 0, so they add nothing to the right "
    "side."
)
def wants_one_from_all(fans, others, w, guess, mu):
    return _solved(
        fans, others, w, guess, mu, fans.sum(axis=0) + w * others.sum(axis=0) + mu * guess
    )


@hybrid.wrong("You exchanged fans and others: fans has the film, others does not.")
def exchanges_fans_and_others(fans, others, w, guess, mu):
    return hybrid.reference(others, fans, w, guess, mu)


@hybrid.wrong("You subtracted mu * guess: v is pulled towards the guess, so it is added.")
def pulls_away(fans, others, w, guess, mu):
    return hybrid.reference(fans, others, w, -guess, mu)


@hybrid.wrong(
    "You mixed two finished vectors with fixed shares: the more have the film, the less the guess "
    "should count. The penalty does that by itself."
)
def mixes_with_fixed_shares(fans, others, w, guess, mu):
    alone = np.linalg.pinv(fans.T @ fans + w * others.T @ others) @ fans.sum(axis=0)
    return (alone + mu * guess) / (1 + mu)


@hybrid.right
def stacks_the_rows(fans, others, w, guess, mu):
    rows = np.vstack([fans, np.sqrt(w) * others, np.sqrt(mu) * np.eye(len(guess))])
    wanted = np.concatenate(
        [np.ones(len(fans)), np.zeros(len(others)), np.sqrt(mu) * np.asarray(guess)]
    )
    return np.linalg.lstsq(rows, wanted)[0]


@hybrid.right
def corrects_the_guess(fans, others, w, guess, mu):
    A = fans.T @ fans + w * others.T @ others + mu * np.eye(len(guess))
    missing = fans.T @ (1 - fans @ guess) - w * others.T @ (others @ guess)
    return guess + np.linalg.solve(A, missing)


# Three fans, four others, two factors.
FANS = np.array([[2.0, 0], [1, 1], [3, -1]])
OTHERS = np.array([[0.0, 2], [1, 0], [0, 5], [-1, 1]])
GUESS = np.array([0.7, -0.4])


@hybrid.wrong("You added mu to every entry of the matrix: it belongs on the diagonal, mu I.")
def adds_mu_everywhere(fans, others, w, guess, mu):
    A = fans.T @ fans + w * others.T @ others + mu
    return np.linalg.solve(A, fans.sum(axis=0) + mu * guess)


@hybrid.wrong("You took the others off on the right side: their target is 0, so they add nothing.")
def takes_the_others_off(fans, others, w, guess, mu):
    return _solved(
        fans, others, w, guess, mu, fans.sum(axis=0) - w * others.sum(axis=0) + mu * guess
    )


@hybrid.wrong("You added up all of fans: add over the people alone, `fans.sum(axis=0)`.")
def adds_up_all_numbers(fans, others, w, guess, mu):
    return _solved(fans, others, w, guess, mu, fans.sum() + mu * guess)


@hybrid.wrong("You returned the fans' scores: return v, k numbers.")
def returns_the_scores(fans, others, w, guess, mu):
    return fans @ hybrid.reference(fans, others, w, guess, mu)


@hybrid.check("a small case by hand")
def _(answer):
    expect_close(
        answer(FANS, OTHERS, 0.5, GUESS, 11.0),
        hybrid.reference(FANS, OTHERS, 0.5, GUESS, 11.0),
        "fans^T fans = [[14, -2], [-2, 2]], others^T others = [[2, -1], [-1, 30]]; with w = 0.5 "
        "and mu = 11 the matrix is [[26, -2.5], [-2.5, 28]], and the right side "
        "(6, 0) + 11 x (0.7, -0.4) = (13.7, -4.4).",
    )


@hybrid.check("random cases")
def _(answer):
    for seed, (m, rest, k) in enumerate([(4, 7, 3), (1, 5, 4), (6, 2, 1), (2, 9, 5)]):
        rng = np.random.default_rng(seed)
        fans, others = rng.normal(size=(m, k)), rng.normal(size=(rest, k))
        w, mu, guess = rng.uniform(0.05, 0.4), rng.uniform(1.5, 6), rng.normal(size=k)
        given = fans, others, w, guess, mu
        expect_close(answer(*given), hybrid.reference(*given), tol=1e-7)


@hybrid.check("edge cases")
def _(answer):
    nobody = np.zeros((0, 3))
    others, guess = np.zeros((2, 3)), np.array([1, -2, 3])
    expect_close(
        answer(nobody, others, 0.2, guess, 5),
        guess,
        "Nobody has the film, and the others say nothing: what is left is the guess.",
    )
    rng = np.random.default_rng(7)
    fans, others = rng.normal(size=(40, 3)), rng.normal(size=(5, 3))
    expect_close(
        answer(fans, others, 0.3, guess, 2), hybrid.reference(fans, others, 0.3, guess, 2), tol=1e-7
    )


# --- Two sentences, padded ----------------------------------------------------------------------


@define(
    "text.likeness",
    notebook=10,
    equivalent={
        "line 7: (A[real_a].mean(axis=0), B[real_b].mean(axis=0)) -> "
        "(B[real_b].mean(axis=0), A[real_a].mean(axis=0))": "a cosine has no first and second",
        "line 7: A[real_a].mean(axis=0) -> A[real_a].sum(axis=0)": "a cosine has no length",
        "line 7: B[real_b].mean(axis=0) -> B[real_b].sum(axis=0)": "a cosine has no length",
        "line 8: a @ b -> b @ a": "the same product",
    },
    hints=[
        "`A[real_a]` keeps the rows of the real pieces. Their mean over axis 0 is the sentence's "
        "vector.",
        "The cosine of a and b is a @ b over the product of their lengths, `np.linalg.norm`.",
    ],
)
def likeness(A, real_a, B, real_b):
    """Return the cosine of two sentences' vectors: each the mean over its real pieces.

    A, B: T x d, the last states of two padded sentences; real_a, real_b: T bools, False where a
    row is padding.
    """
    a, b = A[real_a].mean(axis=0), B[real_b].mean(axis=0)
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


def _cosine(a, b):
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


@likeness.wrong(
    "Your mean takes in the padding, whose rows are no words: keep the rows where real is True."
)
def averages_the_padding(A, real_a, B, real_b):
    return _cosine(A.mean(axis=0), B.mean(axis=0))


@likeness.wrong(
    "You left out the lengths: a cosine is the product over the lengths of both, and a longer "
    "vector is not more alike."
)
def forgets_the_lengths(A, real_a, B, real_b):
    return A[real_a].mean(axis=0) @ B[real_b].mean(axis=0)


@likeness.wrong("You divided by one length: a cosine divides by the lengths of both vectors.")
def divides_by_one_length(A, real_a, B, real_b):
    a, b = A[real_a].mean(axis=0), B[real_b].mean(axis=0)
    return a @ b / np.linalg.norm(a)


@likeness.wrong("You divided by the squared lengths: take the roots, `np.linalg.norm`.")
def divides_by_the_squares(A, real_a, B, real_b):
    a, b = A[real_a].mean(axis=0), B[real_b].mean(axis=0)
    return a @ b / ((a @ a) * (b @ b))


@likeness.wrong("You took the distance: asked for is the cosine.")
def takes_the_distance(A, real_a, B, real_b):
    return np.linalg.norm(A[real_a].mean(axis=0) - B[real_b].mean(axis=0))


@likeness.wrong("You took the first piece for the sentence: this encoder takes the mean of all.")
def takes_the_first_piece(A, real_a, B, real_b):
    return _cosine(A[0], B[0])


@likeness.wrong("You kept the padding and dropped the words: real is True where a piece is real.")
def keeps_the_padding(A, real_a, B, real_b):
    return _cosine(A[~real_a].mean(axis=0), B[~real_b].mean(axis=0))


@likeness.wrong("You used one sentence's real pieces for both: each has its own padding.")
def uses_one_mask(A, real_a, B, real_b):
    return _cosine(A[real_a].mean(axis=0), B[real_a].mean(axis=0))


@likeness.wrong("You took the largest of each coordinate: this encoder takes the mean.")
def takes_the_largest_of_each(A, real_a, B, real_b):
    return _cosine(A[real_a].max(axis=0), B[real_b].max(axis=0))


@likeness.wrong(
    "You took the mean over the coordinates: a sentence's vector has one number for each "
    "coordinate, the mean over its pieces (axis 0)."
)
def averages_the_coordinates(A, real_a, B, real_b):
    a, b = np.where(real_a, A.mean(axis=1), 0), np.where(real_b, B.mean(axis=1), 0)
    return _cosine(a, b)


@likeness.wrong(
    "You averaged the cosines of all pairs of pieces: take the mean of the pieces first, then one "
    "cosine."
)
def averages_the_cosines(A, real_a, B, real_b):
    a, b = A[real_a], B[real_b]
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    b = b / np.linalg.norm(b, axis=1, keepdims=True)
    return (a @ b.T).mean()


@likeness.right
def adds_up_in_place_of_the_mean(A, real_a, B, real_b):
    return _cosine(real_a @ A, real_b @ B)


@likeness.right
def goes_piece_by_piece(A, real_a, B, real_b):
    a = np.mean([row for row, real in zip(A, real_a, strict=True) if real], axis=0)
    b = np.mean([row for row, real in zip(B, real_b, strict=True) if real], axis=0)
    return float(np.sum(a * b) / np.sqrt(np.sum(a**2) * np.sum(b**2)))


PADDED_A = np.array([[3.0, 1], [1, 2], [-7, 5]]), np.array([True, True, False])
PADDED_B = np.array([[1.0, 5], [2, -6], [11, -4]]), np.array([True, False, False])


@likeness.wrong("`a / b * c` multiplies by c: put brackets around the product of the lengths.")
def multiplies_by_a_length(A, real_a, B, real_b):
    a, b = A[real_a].mean(axis=0), B[real_b].mean(axis=0)
    return a @ b / np.linalg.norm(a) * np.linalg.norm(b)


@likeness.wrong("A mask of whole numbers means rows 0 and 1: leave it boolean, `A[real_a]`.")
def takes_real_for_positions(A, real_a, B, real_b):
    return _cosine(A[real_a.astype(int)].mean(axis=0), B[real_b.astype(int)].mean(axis=0))


@likeness.wrong("You subtracted a mean first: that is a correlation, and not the cosine.")
def takes_the_correlation(A, real_a, B, real_b):
    a, b = A[real_a].mean(axis=0), B[real_b].mean(axis=0)
    with np.errstate(all="ignore"):
        return _cosine(a - a.mean(), b - b.mean())


@likeness.wrong("You took the last piece for the sentence: this encoder takes the mean of all.")
def takes_the_last_piece(A, real_a, B, real_b):
    return _cosine(A[real_a][-1], B[real_b][-1])


@likeness.wrong("You took one mean of all numbers: `mean(axis=0)` has one for each coordinate.")
def takes_one_mean(A, real_a, B, real_b):
    a, b = A[real_a].mean(), B[real_b].mean()
    return a * b / (np.linalg.norm(a) * np.linalg.norm(b))


@likeness.wrong("You added the lengths: divide by their product.")
def adds_the_lengths(A, real_a, B, real_b):
    a, b = A[real_a].mean(axis=0), B[real_b].mean(axis=0)
    return a @ b / (np.linalg.norm(a) + np.linalg.norm(b))


@likeness.wrong("You returned the angle: return its cosine, without arccos.")
def returns_the_angle(A, real_a, B, real_b):
    return np.arccos(np.clip(likeness.reference(A, real_a, B, real_b), -1, 1))


@likeness.wrong("You took the sum over T, and no lengths: a cosine divides by both lengths.")
def divides_by_the_pieces(A, real_a, B, real_b):
    return A[real_a].sum(axis=0) @ B[real_b].sum(axis=0) / len(A)


@likeness.check("a small case by hand")
def _(answer):
    expect_close(
        answer(*PADDED_A, *PADDED_B),
        likeness.reference(*PADDED_A, *PADDED_B),
        "The vectors are (2, 1.5) and (1, 5): their product is 9.5, their lengths 2.5 and 5.099.",
    )


@likeness.check("random cases")
def _(answer):
    for seed, (length, d) in enumerate([(5, 3), (7, 2), (4, 6)]):
        rng = np.random.default_rng(seed)
        A, B = rng.normal(size=(2, length, d)) + 0.5
        real_a, real_b = (np.arange(length) < real for real in (length - 1, length - 2))
        expect_close(answer(A, real_a, B, real_b), likeness.reference(A, real_a, B, real_b))


@likeness.check("edge cases")
def _(answer):
    rng = np.random.default_rng(5)
    A, real = rng.integers(-4, 5, (4, 3)), np.array([True, True, True, False])
    B = np.vstack([-2 * A[:3], [[9, 9, 9]]])
    expect_close(answer(A, real, B, real), -1, "Opposite directions have the cosine -1.")


define_quiz(
    "text.recap",
    notebook=10,
    questions=[
        Choice(
            "text.q_no_root",
            "Somebody builds heads of 512 numbers in place of 32 and leaves out the division. "
            "Queries and keys are random at first. What do the shares of a row of 12 pieces look "
            "like?",
            right="one piece has nearly all",
            because="The products spread like the root of 512, about 23. After exp the largest "
            "dwarfs the others, and a softmax like that hardly has a slope to learn from.",
            wrong={
                "all are near a twelfth": "That would be so if the products were near 0. A sum of "
                "512 random terms is far from 0.",
                "as with 32 numbers: a softmax adds up to 1": "The sum is 1 in both cases. How it "
                "is spread depends on how far apart the products are.",
                "half of them are negative": "Products are, but after exp every share is above 0.",
            },
            answer="'one piece has nearly all' if text.softmax(np.random.default_rng(1).normal("
            "size=(500, 12)) * 512**0.5).max(axis=1).mean() > 0.9 else ''",
        ),
        Choice(
            "text.q_axis",
            "Here is somebody's attention: first `x = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))`, then "
            "`return x / x.sum(axis=0) @ V`. What is wrong with what it returns?",
            right="a row may take more than one whole share, or less",
            because="Axis 0 adds up over the queries, so each *column* adds up to 1. A piece that "
            "many look at is divided by much; a row's shares add up to anything.",
            wrong={
                "nothing: the shares add up to 1": "They do, down the columns. The mixture of a "
                "piece is made with a row.",
                "the values are mixed before the shares are made": "Without brackets, / and @ are "
                "worked off from the left: the division comes first.",
                "every row takes exactly one whole share, of itself": "No share is kept for the "
                "piece itself. The table is divided by the sums of its columns.",
            },
            answer="'a row may take more than one whole share, or less' if np.ptp((np.exp(fit) / "
            "np.exp(fit).sum(axis=0)).sum(axis=1)) > 0.5 else ''",
        ),
        Choice(
            "text.q_first",
            "A shop for used furniture tells an encoder title, material and year of each piece: "
            "nDCG 0.21. Columns for material and year have 0.13. 'So it reads our titles.' What "
            "do you measure first?",
            right="the encoder on material and year alone",
            because="Two things differ: the titles, and the form in which the facts enter. With "
            "the films the encoder has most of its lead from the facts alone.",
            wrong={
                "the encoder with twice as many layers": "A larger encoder may score more or "
                "less, and says nothing of where the lead comes from.",
                "the interval of 0.21 less 0.13": "It says whether there is a lead. What the lead "
                "is made of is another question.",
                "the columns with a smaller penalty": "Each side should be tuned, but columns that "
                "only add up stay poorer than the encoder, however they are tuned.",
            },
            answer="'the encoder on material and year alone' if means_of['facts'] - "
            "means_of['genres, year'] > means_of['encoder'] - means_of['facts'] else ''",
        ),
        Choice(
            "text.q_next_month",
            "The test hides films of 1930 to 2016; the encoder was trained on texts of 2021. What "
            "do you expect of the score on the films of next month?",
            right="lower, by an amount that this test cannot tell",
            because="No text that it read speaks of them, so what it may have from a title's fame "
            "is gone. What it knows of genres and words stays. To see the difference, test with "
            "films that came after its training.",
            wrong={
                "the same: the test's films had no rating either": "They had none in train, but "
                "they were on the web when the encoder was trained.",
                "near chance: all it knows is fame": "Fame is a part. The encoder on year and "
                "genres alone is far above chance, and these will be known next month as well.",
                "higher: the language of next month is more modern": "The encoder learned the "
                "language of before 2021; newer words do not help it.",
            },
            answer="'lower, by an amount that this test cannot tell' if pooled['title, read'] > "
            "pooled['title, TF-IDF'] and means_of['facts'] > 3 * means_of['chance'] else ''",
        ),
        Choice(
            "text.q_mu",
            "In the hybrid somebody sets mu to a million. A film has 30 ratings. What does its "
            "factor come to?",
            right="the guess from its text",
            because="Thirty rows of F weigh little against a million: v stays at the guess, as "
            "if nobody had the film.",
            wrong={
                "zero": "That is what a large penalty does in ALS, where it pulls towards 0. This "
                "one pulls towards the guess.",
                "what its 30 fans alone say": "That is mu near 0. A large mu makes it dear to "
                "leave the guess.",
                "halfway between text and behaviour": "Halfway is somewhere between, where the "
                "penalty and the rows of F weigh about the same.",
            },
            answer="'the guess from its text' if np.allclose(hybrid(warm[0]['U'][:30], "
            "warm[0]['U'][30:], 0.003, warm[0]['guess'][0], 1e6), warm[0]['guess'][0], "
            "atol=1e-3) else ''",
        ),
        Choice(
            "text.q_lam",
            "Lam is chosen among four by the score on the new films of the test; then that score "
            "is reported. It is 0.224 in place of 0.221. What holds?",
            right="0.224 holds a piece of luck: choose on films held out of train",
            because="The best of four scores is too good by luck. The lesson lets a fifth of the "
            "train films play the new ones, and asks the test once.",
            wrong={
                "it is fair: the ratings of the test were not used to fit": "They were used to "
                "choose, and a choice is a fit of one number.",
                "0.224 is right if all models may choose so": "Then all are too good, and those "
                "with more to choose from more so.",
                "choose lam by the error on the films that were fitted": "There the smallest lam "
                "is always the best: it fits the noise.",
            },
        ),
    ],
)
