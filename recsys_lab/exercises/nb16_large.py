"""The exercises of notebook 16, Large models: a power law, and codes by what is left."""

import numpy as np

from .engine import define, expect_close, expect_equal, expect_shape
from .questions import Choice, Number, define_quiz


def _a_law(rng):
    """Sizes, losses near a power law over a floor, and the floor."""
    count = int(rng.integers(3, 8))
    sizes = np.sort(rng.choice(np.arange(2, 400), count, replace=False)) * float(
        rng.choice([1, 10, 250])
    )
    a, b = float(rng.uniform(0.5, 30)), float(rng.uniform(0.1, 1.2))
    floor = float(rng.uniform(0.3, 3))
    return sizes, floor + a * sizes**-b * np.exp(rng.normal(0, 0.15, count)), floor


@define(
    "large.power_law",
    notebook=16,
    inputs=_a_law,
    hints=[
        "Take the floor away, then the logarithm of both sides of loss - floor = a size^(-b): "
        "log(loss - floor) = log a - b log size. That is a line.",
        "`slope, height = np.polyfit(np.log(sizes), np.log(losses - floor), 1)` fits it.",
        "b is the slope with its sign turned, and a is `np.exp(height)`.",
    ],
)
def power_law(sizes, losses, floor):
    """Return a and b of loss = floor + a size^(-b), as an array of two numbers.

    sizes, losses: arrays of one length, all sizes positive, all losses above the floor. The line
    through the logarithms is the one with the least squares (of the vertical distances).
    """
    slope, height = np.polyfit(np.log(sizes), np.log(losses - floor), 1)
    return np.array([np.exp(height), -slope])


def _line(x, y):
    """Slope and height of the line of least squares."""
    slope = np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2)
    return slope, y.mean() - slope * x.mean()


@power_law.wrong(
    "You left the floor in. A loss that cannot fall below the floor bends in the logarithms, and a "
    "line through it is too flat. Take the floor away first."
)
def forgets_the_floor(sizes, losses, floor):
    slope, height = _line(np.log(sizes), np.log(losses))
    return np.array([np.exp(height), -slope])


@power_law.wrong(
    "The sign of b is turned: the line falls, its slope is -b, and b itself is positive."
)
def keeps_the_sign(sizes, losses, floor):
    slope, height = _line(np.log(sizes), np.log(losses - floor))
    return np.array([np.exp(height), slope])


@power_law.wrong("That is log a: the height of the line. a is its exponential.")
def gives_the_height(sizes, losses, floor):
    slope, height = _line(np.log(sizes), np.log(losses - floor))
    return np.array([height, -slope])


@power_law.wrong(
    "You took logarithms to base 10 and then np.exp: a is 10 to the height of that line."
)
def mixes_the_bases(sizes, losses, floor):
    slope, height = _line(np.log10(sizes), np.log10(losses - floor))
    return np.array([np.exp(height), -slope])


@power_law.wrong(
    "You took logarithms to base 2 and then np.exp: a is 2 to the height of that line."
)
def mixes_with_base_two(sizes, losses, floor):
    slope, height = _line(np.log2(sizes), np.log2(losses - floor))
    return np.array([np.exp(height), -slope])


@power_law.wrong("You fitted the sizes by the losses: the other way round the slope is another.")
def exchanges_the_axes(sizes, losses, floor):
    slope, height = _line(np.log(losses - floor), np.log(sizes))
    return np.array([np.exp(-height / slope), -1 / slope])


@power_law.wrong(
    "You fitted the sizes by the losses: then what you call b is the slope of size by loss."
)
def exchanges_and_keeps_the_slope(sizes, losses, floor):
    slope, height = _line(np.log(losses - floor), np.log(sizes))
    return np.array([np.exp(height), -slope])


@power_law.wrong("That is a straight line through the losses: take logarithms of both.")
def takes_no_logarithm(sizes, losses, floor):
    slope, height = _line(sizes, losses - floor)
    return np.array([height, -slope])


@power_law.wrong(
    "You took the logarithm of the losses alone: that fits a exp(-b size), which falls far faster "
    "than a power. Take that of the sizes too."
)
def fits_an_exponential(sizes, losses, floor):
    slope, height = _line(sizes, np.log(losses - floor))
    return np.array([np.exp(height), -slope])


@power_law.wrong("You took the logarithm of the sizes alone: take that of the losses too.")
def takes_the_sizes_logarithm(sizes, losses, floor):
    slope, height = _line(np.log(sizes), losses - floor)
    return np.array([height, -slope])


@power_law.wrong("You added the floor: take it away, what is left is the power law.")
def adds_the_floor(sizes, losses, floor):
    slope, height = _line(np.log(sizes), np.log(losses + floor))
    return np.array([np.exp(height), -slope])


@power_law.wrong("a and b are exchanged: a, the factor, comes first.")
def exchanges_the_two(sizes, losses, floor):
    return power_law.reference(sizes, losses, floor)[::-1]


@power_law.wrong("You took the first and the last point only: all of them have a say.")
def takes_the_ends(sizes, losses, floor):
    x, y = np.log(sizes), np.log(losses - floor)
    slope = (y[-1] - y[0]) / (x[-1] - x[0])
    return np.array([np.exp(y[0] - slope * x[0]), -slope])


@power_law.wrong("You took the mean of the slopes from point to point: fit one line to all points.")
def takes_the_mean_slope(sizes, losses, floor):
    x, y = np.log(sizes), np.log(losses - floor)
    slope = np.mean(np.diff(y) / np.diff(x))
    return np.array([np.exp(y.mean() - slope * x.mean()), -slope])


@power_law.wrong("Your line goes through the origin: it needs a height, log a, too.")
def goes_through_the_origin(sizes, losses, floor):
    x, y = np.log(sizes), np.log(losses - floor)
    return np.array([1.0, -np.sum(x * y) / np.sum(x * x)])


@power_law.wrong("You subtracted the floor's logarithm: take the floor away before the logarithm.")
def subtracts_after_the_logarithm(sizes, losses, floor):
    slope, height = _line(np.log(sizes), np.log(losses) - np.log(floor))
    return np.array([np.exp(height), -slope])


@power_law.wrong("You added the floor to a: a is the factor of the power alone.")
def adds_the_floor_to_a(sizes, losses, floor):
    a, b = power_law.reference(sizes, losses, floor)
    return np.array([a + floor, b])


@power_law.wrong(
    "You took a from the first point: the line of least squares passes through the means."
)
def takes_a_from_the_first(sizes, losses, floor):
    b = power_law.reference(sizes, losses, floor)[1]
    return np.array([(losses[0] - floor) * sizes[0] ** b, b])


@power_law.wrong("a has the wrong sign in its exponent: the height is mean(y) + b mean(x).")
def turns_the_height(sizes, losses, floor):
    x, y = np.log(sizes), np.log(losses - floor)
    b = power_law.reference(sizes, losses, floor)[1]
    return np.array([np.exp(y.mean() - b * x.mean()), b])


@power_law.wrong(
    "You divided by the spread of the losses: divide by that of the sizes, sum of x^2."
)
def divides_by_the_losses_spread(sizes, losses, floor):
    x, y = np.log(sizes), np.log(losses - floor)
    x0, y0 = x - x.mean(), y - y.mean()
    b = -np.sum(x0 * y0) / np.sum(y0**2)
    return np.array([np.exp(y.mean() + b * x.mean()), b])


@power_law.wrong("That is the correlation of the logarithms, not the slope.")
def gives_the_correlation(sizes, losses, floor):
    x, y = np.log(sizes), np.log(losses - floor)
    b = -np.corrcoef(x, y)[0, 1]
    return np.array([np.exp(y.mean() + b * x.mean()), b])


@power_law.wrong(expects="shape")
def gives_b_alone(sizes, losses, floor):
    return power_law.reference(sizes, losses, floor)[1:]


@power_law.wrong(expects="shape")
def gives_the_fitted_losses(sizes, losses, floor):
    a, b = power_law.reference(sizes, losses, floor)
    return floor + a * sizes**-b


@power_law.right
def by_the_formula(sizes, losses, floor):
    slope, height = _line(np.log(sizes), np.log(losses - floor))
    return np.array([np.exp(height), -slope])


@power_law.right
def by_least_squares(sizes, losses, floor):
    A = np.column_stack([np.ones(len(sizes)), -np.log(sizes)])
    height, b = np.linalg.lstsq(A, np.log(losses - floor), rcond=None)[0]
    return np.array([np.exp(height), b])


@power_law.right
def in_base_ten(sizes, losses, floor):
    slope, height = _line(np.log10(sizes), np.log10(losses - floor))
    return np.array([10**height, -slope])


@power_law.check("a small case by hand")
def _(answer):
    why = "Less the floor 1, the losses are 12, 6, 3 at 1, 4, 16: half at each fourfold size."
    got = answer(np.array([1.0, 4, 16]), np.array([13.0, 7, 4]), 1.0)
    expect_close(expect_shape(got, (2,)), [12, 0.5], why)


@power_law.check("a case off the line")
def _(answer):
    why = "Less the floor 0.5, the logarithms of the losses are 2, 0, 1 at sizes e, e^2, e^3."
    got = answer(np.exp([1.0, 2, 3]), 0.5 + np.exp([2.0, 0, 1]), 0.5)
    expect_close(expect_shape(got, (2,)), [np.exp(2), 0.5], why)


@power_law.check("random cases")
def _(answer):
    rng = np.random.default_rng(3)
    for _ in range(12):
        sizes, losses, floor = _a_law(rng)
        why = f"{len(sizes)} sizes from {sizes[0]:g} to {sizes[-1]:g}, floor {floor:.2f}."
        got = expect_shape(answer(sizes, losses, floor), (2,))
        expect_close(got, power_law.reference(sizes, losses, floor), why, tol=1e-7)


def _some_books(rng):
    """Vectors, the mean and the centres of two or more levels, each finer than the last."""
    n, d = int(rng.integers(2, 10)), int(rng.integers(2, 5))
    mean = rng.normal(0, 2, size=d)
    X = mean + rng.normal(0, 1.5, size=(n, d))
    sizes = rng.integers(2, 6, size=int(rng.choice([2, 3, 3, 4])))
    books = [rng.normal(0, 1.3 / 1.5**level, size=(k, d)) for level, k in enumerate(sizes)]
    return X, mean, books


@define(
    "large.residual_codes",
    notebook=16,
    inputs=_some_books,
    equivalent={
        "line 10: ((left[:, None] - centres) ** 2).sum(axis=2) -> "
        "((left[:, None] - centres) ** 2).mean(axis=2)": "the same order of the centres",
        "line 10: left[:, None] - centres -> centres - left[:, None]": "squared",
    },
    hints=[
        "The centres were found among centred vectors: begin with `left = X - mean`.",
        "At each level: which centre is nearest to what is left? Then take that centre away.",
        "`far = ((left[:, None] - centres) ** 2).sum(axis=2)`, `code = far.argmin(axis=1)`, "
        "`left = left - centres[code]`; the codes of all levels side by side.",
    ],
)
def residual_codes(X, mean, books):
    """Return the codes of the rows of X: an n x levels array of whole numbers.

    X: n x d. mean: the mean of the vectors that the centres were made of. books: a list, for each
    level a size x d array of centres. A level's number is the row of the nearest centre (least
    squared distance) to what the levels before it have left.
    """
    left, codes = X - mean, []
    for centres in books:
        far = ((left[:, None] - centres) ** 2).sum(axis=2)
        codes.append(far.argmin(axis=1))
        left = left - centres[codes[-1]]
    return np.column_stack(codes)


def _far(left, centres):
    return ((left[:, None] - centres) ** 2).sum(axis=2)


def _by_levels(left, books, choose, less):
    codes = []
    for centres in books:
        codes.append(choose(left, centres))
        left = less(left, centres[codes[-1]])
    return np.column_stack(codes)


def _nearest(left, centres):
    return _far(left, centres).argmin(axis=1)


@residual_codes.wrong(
    "You quantised before centring: the centres lie around 0, and X lies around its mean. Then all "
    "items get the few codes that lie in the mean's direction. Begin with X - mean."
)
def forgets_the_centring(X, mean, books):
    return _by_levels(X, books, _nearest, np.subtract)


@residual_codes.wrong(
    "You centred by the mean of these rows. The centres were made around `mean`: with another one "
    "the same item gets another code each time."
)
def centres_by_these_rows(X, mean, books):
    return _by_levels(X - X.mean(axis=0), books, _nearest, np.subtract)


@residual_codes.wrong("You added the mean: take it away.")
def adds_the_mean(X, mean, books):
    return _by_levels(X + mean, books, _nearest, np.subtract)


@residual_codes.wrong(
    "You gave each level the whole vector. The second level has to describe what the first one has "
    "left: take the chosen centre away."
)
def takes_nothing_away(X, mean, books):
    return _by_levels(X - mean, books, _nearest, lambda left, centre: left)


@residual_codes.wrong("You added the chosen centre to what is left: take it away.")
def adds_the_centre(X, mean, books):
    return _by_levels(X - mean, books, _nearest, np.add)


@residual_codes.wrong(
    "You took each centre away from the whole vector: what the earlier levels took away has to "
    "stay away."
)
def takes_away_from_the_whole(X, mean, books):
    whole = X - mean
    return _by_levels(whole, books, _nearest, lambda left, centre: whole - centre)


@residual_codes.wrong(
    "You took the mean away at each level: what is left after the first is centred already."
)
def centres_at_each_level(X, mean, books):
    less = lambda left, centre: left - centre - mean  # noqa: E731
    return _by_levels(X - mean, books, _nearest, less)


@residual_codes.wrong("You centred what is left anew at each level: take the chosen centre away.")
def centres_what_is_left(X, mean, books):
    less = lambda left, centre: left - centre - (left - centre).mean(axis=0)  # noqa: E731
    return _by_levels(X - mean, books, _nearest, less)


@residual_codes.wrong(
    "You took the centre with the largest product. A long centre has large products with all: the "
    "nearest has the least distance."
)
def takes_the_largest_product(X, mean, books):
    choose = lambda left, centres: (left @ centres.T).argmax(axis=1)  # noqa: E731
    return _by_levels(X - mean, books, choose, np.subtract)


@residual_codes.wrong("You took the largest cosine: the distance counts lengths too.")
def takes_the_cosine(X, mean, books):
    def choose(left, centres):
        return (left @ (centres / np.linalg.norm(centres, axis=1, keepdims=True)).T).argmax(axis=1)

    return _by_levels(X - mean, books, choose, np.subtract)


@residual_codes.wrong("You took the farthest centre: argmin of the distance, not argmax.")
def takes_the_farthest(X, mean, books):
    choose = lambda left, centres: _far(left, centres).argmax(axis=1)  # noqa: E731
    return _by_levels(X - mean, books, choose, np.subtract)


@residual_codes.wrong("You added up absolute differences: the squared distance is asked for.")
def takes_absolute_differences(X, mean, books):
    choose = lambda left, centres: np.abs(left[:, None] - centres).sum(2).argmin(1)  # noqa: E731
    return _by_levels(X - mean, books, choose, np.subtract)


@residual_codes.wrong(
    "You did not square: differences of unlike sign cancel each other in the sum."
)
def forgets_the_squares(X, mean, books):
    choose = lambda left, centres: (left[:, None] - centres).sum(2).argmin(1)  # noqa: E731
    return _by_levels(X - mean, books, choose, np.subtract)


@residual_codes.wrong("You began with the last book: the first level is the coarse one.")
def begins_with_the_last(X, mean, books):
    return _by_levels(X - mean, books[::-1], _nearest, np.subtract)[:, ::-1]


@residual_codes.wrong("You used the first book at all levels: each level has centres of its own.")
def uses_the_first_book(X, mean, books):
    return _by_levels(X - mean, [books[0]] * len(books), _nearest, np.subtract)


@residual_codes.wrong("The number of a centre is its row, counted from 0.")
def counts_from_one(X, mean, books):
    return residual_codes.reference(X, mean, books) + 1


@residual_codes.wrong("You took twice the centre away: once is what the level describes.")
def takes_twice_away(X, mean, books):
    less = lambda left, centre: left - 2 * centre  # noqa: E731
    return _by_levels(X - mean, books, _nearest, less)


@residual_codes.wrong(
    "You found the best of all codes together. That is nearer, and it has to try every code: level "
    "by level a number is final once it is chosen."
)
def tries_every_code(X, mean, books):
    grids = np.meshgrid(*[np.arange(len(centres)) for centres in books], indexing="ij")
    every = np.column_stack([grid.ravel() for grid in grids])
    sums = sum(centres[every[:, level]] for level, centres in enumerate(books))
    return every[_far(X - mean, sums).argmin(axis=1)]


@residual_codes.wrong(
    "You scaled each column to the same spread: the centres know nothing of that."
)
def scales_the_columns(X, mean, books):
    spread = np.maximum(X.std(axis=0), 1e-9)
    return _by_levels((X - mean) / spread, books, _nearest, np.subtract)


@residual_codes.wrong(
    "You scaled the rows to length 1: the centres were made of the rows as they are."
)
def scales_the_rows(X, mean, books):
    left = X - mean
    left = left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-9)
    return _by_levels(left, books, _nearest, np.subtract)


@residual_codes.wrong(expects="transposed")
def stacks_the_levels(X, mean, books):
    return residual_codes.reference(X, mean, books).T


@residual_codes.wrong(expects="shape")
def gives_what_is_left(X, mean, books):
    left = X - mean
    for centres in books:
        left = left - centres[_nearest(left, centres)]
    return np.hstack([left, left, left, left])


@residual_codes.right
def row_by_row(X, mean, books):
    codes = []
    for x in X:
        left, code = x - mean, []
        for centres in books:
            code.append(min(range(len(centres)), key=lambda i: np.sum((left - centres[i]) ** 2)))
            left = left - centres[code[-1]]
        codes.append(code)
    return np.array(codes)


@residual_codes.right
def by_products(X, mean, books):
    choose = lambda left, c: (2 * left @ c.T - (c**2).sum(axis=1)).argmax(axis=1)  # noqa: E731
    return _by_levels(X - mean, books, choose, np.subtract)


@residual_codes.right
def takes_the_last_of_equals(X, mean, books):
    choose = lambda left, c: len(c) - 1 - _far(left, c[::-1]).argmin(axis=1)  # noqa: E731
    return _by_levels(X - mean, books, choose, np.subtract)


@residual_codes.check("a small case by hand")
def _(answer):
    X = np.array([[13.0, 7], [11, 9], [10, 2]])
    books = [np.array([[4.0, 1], [0, -4]]), np.array([[-1.0, 0], [0, 2], [1, 1]])]
    why = (
        "Less the mean (10, 6), the rows are (3, 1), (1, 3), (0, -4). Nearest are the centres 0, "
        "0, 1; (-1, 0), (-3, 2), (0, 0) are left, nearest to the centres 0, 0, 0 of the second "
        "level."
    )
    got = expect_shape(answer(X, np.array([10.0, 6]), books), (3, 2))
    expect_equal(got.astype(int), [[0, 0], [0, 0], [1, 0]], why)


@residual_codes.check("random cases")
def _(answer):
    rng = np.random.default_rng(4)
    for _ in range(16):
        X, mean, books = _some_books(rng)
        got = expect_shape(answer(X, mean, books), (len(X), len(books)))
        why = f"{len(X)} rows, levels of {', '.join(str(len(each)) for each in books)} centres."
        expect_equal(got, residual_codes.reference(X, mean, books), why)


@residual_codes.check("one row, one level")
def _(answer):
    X, books = np.array([[5.0, 5, 9]]), [np.array([[1.0, 0, 0], [0, 0, 2.0], [4, 4, 4]])]
    why = "Less the mean (5, 5, 6), (0, 0, 3) is left: centre 1 is nearest."
    expect_equal(expect_shape(answer(X, np.array([5.0, 5, 6]), books), (1, 1)), [[1]], why)


define_quiz(
    "large.recap",
    notebook=16,
    questions=[
        Choice(
            "large.q_people",
            "'Our factorisation has grown from one to ten thousand million numbers this year: ten "
            "times the people, the same items, the same 64 factors. So it generalises better.' "
            "What is wrong?",
            right="the new numbers are about one person each",
            because="They can be computed from the person's own events. Ten times the people may "
            "help all the same: as data, for what the items' factors learn.",
            wrong={
                "64 factors are too few for that": "They may be or not. The sentence counts the "
                "people's part, which remembers and shares nothing.",
                "a model of that size has to overfit": "Each person's factors fit that person's "
                "events, with a penalty, as before. Nothing gets worse by having more people.",
                "nothing: more parameters generalise better": "Those that are shared, if there is "
                "data for them. In the lesson the people's part was thrown away without a loss.",
            },
            answer="'the new numbers are about one person each' if "
            "abs(found['learned'].mean() - found['thrown away'].mean()) < 0.02 "
            "else ''",
        ),
        Number(
            "large.q_power",
            "A loss has a floor of 2 nats. With a million events it is 2.8, with four million 2.4. "
            "What does the power law say for sixteen million?",
            right=2.2,
            because="Above the floor it is 0.8, then 0.4: half at each fourfold size, so 0.2.",
            wrong={
                2.0: "That is the floor, or a straight line: a power never gets there.",
                2.057: "That is a power law without its floor: 2.8, 2.4, and the same factor.",
                2.1: "That halves too often: from four to sixteen million is one step.",
                "else": "Take the floor away. By which factor does the rest fall when the data is "
                "multiplied by four?",
            },
            tolerance=0.005,
            answer="2 + np.prod(power_law(np.array([1.0, 4]), np.array([2.8, 2.4]), 2.0) ** "
            "np.array([1, 0])) * 16 ** -power_law(np.array([1.0, 4]), np.array([2.8, 2.4]), "
            "2.0)[1]",
        ),
        Choice(
            "large.q_codes",
            "A network writes the codes of films. A new film gets its code by a text, and is never "
            "recommended. Somebody proposes to deal out the codes anew, at random, 'so that all "
            "films have the same chance'. What happens to new films?",
            right="the network has no way to find them at all",
            because="A new film is found because its letters mean something that other films have "
            "taught. In the lesson the codes dealt at random hardly ever wrote a new item.",
            wrong={
                "they get the same chance as all others": "The chance of a code is what the "
                "network learned about its letters. Without a meaning that is about other films.",
                "nothing: a code is only a name": "So it is for a table with a row each. Codes "
                "share letters, and what is learned about a letter is learned about all its films.",
                "they gain: their letters are well trained": "Trained they are, and on films that "
                "have nothing to do with them.",
            },
            answer="'the network has no way to find them at all' if "
            "cold.loc['codes at random', 'first, cold'] < 0.1 < cold.loc['codes', 'first, cold'] "
            "else ''",
        ),
        Choice(
            "large.q_chance",
            "A team asks a language model for one liked film among 24 drawn at random. The area "
            "is 0.8. 'It knows our customers.' What do you ask for first?",
            right="the same without the customers' history",
            because="If it is nearly as high, the model knows which films are famous. In the "
            "lesson it was.",
            wrong={
                "a larger model": "It may know better what is famous, too. First find out what is "
                "measured.",
                "more customers": "They make the interval narrower, around the wrong quantity.",
                "a better prompt": "Whoever chooses a prompt by the test has looked at the test; "
                "and fame stays the easy answer.",
            },
            answer='"the same without the customers\' history" if '
            "measured['random films'][3].mean() > 0.6 else ''",
        ),
        Choice(
            "large.q_bend",
            "Networks of 1, 2 and 4 million numbers lose 3.0, 2.8 and 2.79 nats on new people, on "
            "training data that stayed the same. What would you buy next?",
            right="more data",
            because="The curve has bent: with this data there is nothing left for a larger network "
            "to learn. In the lesson the last doubling brought the least.",
            wrong={
                "a network of 8 million": "The last doubling brought 0.01. The law of the first "
                "step is over.",
                "nothing, the floor is reached": "It may be, or the data is what is missing. The "
                "two look alike until you add data.",
                "longer training": "That is to be tried, and costs little. But the epoch is chosen "
                "on validation: the large one stopped when it was best.",
            },
            answer="'more data' if by_size['loss'].iloc[-2] - by_size['loss'].iloc[-1] < "
            "by_size['loss'].iloc[1] - by_size['loss'].iloc[2] else ''",
        ),
    ],
)
