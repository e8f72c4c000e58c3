"""Who did what with which item, and when: a sparse users x items matrix with labels and times.

Everything the course reads passes through here, so this is where input is validated. The layout is
that of implicit-feedback recommenders (Hu, Koren and Volinsky 2008): what was not observed is not
stored.
"""

import csv
import hashlib
import io
import operator
import warnings
from dataclasses import dataclass
from numbers import Real
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

DUPLICATES = ("raise", "first", "last", "mean")
# No count in the course comes near: a larger one is a slip, and would take all memory or all day.
LARGEST_COUNT = 1_000_000
# The square of a larger number may be too large for a float, and so may a sum of squares.
LARGEST_VALUE = 1e150
# Times a value it is no infinity: no penalty, no weight and no rate comes near.
LARGEST_NUMBER = 1e100
# How the files begin that are often taken for a CSV file.
NO_CSV = {
    b"\x1f\x8b": "gzip's: unpack it",
    b"PK\x03\x04": "a zip archive's or a spreadsheet's: unpack it, or save the sheet as CSV",
    b"PAR1": "Parquet's: read it with pandas.read_parquet and pass the table to from_frame",
}


@dataclass(frozen=True, eq=False, repr=False)
class Interactions:
    """Events of users with items: a sparse users x items matrix, its labels and its times.

    The arrays are read-only, so that no later cell can change what an earlier one computed from:
    work on ``data.matrix.copy()`` to alter values.

    Parameters
    ----------
    matrix : m x n, dense or scipy.sparse
        A stored entry is an event and its number is the event's value. In a sparse matrix a stored
        0 is an event too (a rating of 0); in a dense one 0 means that nothing happened.
    users, items : array-like of length m and n
        The labels of rows and columns, each label once.
    times : array-like with one number for each stored entry, optional
        In the order of ``matrix.data``; then ``matrix`` must be CSR with sorted columns.

    Attributes
    ----------
    matrix : scipy.sparse.csr_array of float64, m x n
    users, items : ndarray
    times : ndarray or None

    Raises
    ------
    ValueError
        If shapes disagree, a label repeats, or a value is negative, infinite or not a number.

    Examples
    --------
    >>> events = pd.DataFrame({"user": ["ann", "ann", "bob"], "item": ["tea", "jam", "tea"]})
    >>> data = Interactions.from_frame(events)
    >>> data
    Interactions: 2 users x 2 items, 3 events (75% of cells), no times
    >>> data.items.tolist()
    ['jam', 'tea']
    >>> data.matrix.toarray()
    array([[1., 1.],
           [0., 1.]])
    """

    matrix: sp.csr_array
    users: np.ndarray
    items: np.ndarray
    times: np.ndarray | None = None

    def __post_init__(self):
        matrix = sp.csr_array(as_matrix(self.matrix, "matrix")).copy()
        if (matrix.data < 0).any():
            value = matrix.data[matrix.data < 0][0]
            raise ValueError(f"matrix holds the negative value {value:g}: values must be 0 or more")
        users = _labels(self.users, "users", matrix.shape[0])
        items = _labels(self.items, "items", matrix.shape[1])
        times = self.times
        if times is not None:
            if getattr(self.matrix, "format", "") != "csr" or matrix.nnz != self.matrix.nnz:
                raise ValueError(
                    "times need a CSR matrix without duplicates: convert it with .tocsr() first"
                )
            if not self.matrix.has_sorted_indices:
                raise ValueError(
                    "times need a matrix with sorted columns: call matrix.sort_indices() first"
                )
            times = np.array(times)
            if times.shape != (matrix.nnz,):
                raise ValueError(
                    f"times has shape {times.shape}: give one time for each of the "
                    f"{matrix.nnz} stored entries"
                )
        for array in (matrix.data, matrix.indices, matrix.indptr, users, items, times):
            if array is not None:
                array.flags.writeable = False
        for name, value in [
            ("matrix", matrix), ("users", users), ("items", items), ("times", times)
        ]:  # fmt: skip
            object.__setattr__(self, name, value)

    @classmethod
    def from_frame(
        cls,
        df: pd.DataFrame,
        user: str = "user",
        item: str = "item",
        value: str | None = None,
        time: str | None = None,
        *,
        duplicates: str = "raise",
        users=None,
        items=None,
    ) -> "Interactions":
        """Encode a table with one event a row.

        Parameters
        ----------
        df : DataFrame
        user, item : str
            The columns with the labels. Labels are sorted; row and column 0 belong to the smallest.
        value : str, optional
            The column with the ratings or counts, 0 or more. Without it every event counts 1.
        time : str, optional
            The column with the times: numbers, or dates (kept as seconds since 1970), or spans of
            time (kept as seconds).
        duplicates : {"raise", "first", "last", "mean"}
            What to do when a user has several events with one item: refuse; keep the first or the
            last (in time if there is a time, else and among equal times in the order of the rows);
            or keep the mean value with the last time.
        users, items : array-like, optional
            The known labels, in the order wanted: an event with any other is refused, and a label
            without events gets an empty row or column.

        Raises
        ------
        ValueError
            For an empty table, a missing column, a missing or unknown label, a value that is
            missing, negative, infinite or not a number, and a duplicate event. Rows are counted
            from 0, as in ``df.iloc``.

        Examples
        --------
        >>> events = pd.DataFrame({"user": [1, 1], "item": ["A", "A"], "rating": [2, 5]})
        >>> Interactions.from_frame(events, value="rating")
        Traceback (most recent call last):
        ...
        ValueError: duplicate event: user 1 and item 'A' are in rows 0 and 1; choose \
duplicates="first", "last" or "mean"
        >>> Interactions.from_frame(events, value="rating", duplicates="mean").matrix.toarray()
        array([[3.5]])
        """
        if not isinstance(df, pd.DataFrame):
            raise ValueError(f"df is a {type(df).__name__}: pass a pandas DataFrame")
        as_choice(duplicates, "duplicates", DUPLICATES)
        for argument, column in [
            ("user", user),
            ("item", item),
            ("value", value),
            ("time", time),
        ]:
            if column is None and argument in ("value", "time"):
                continue
            times = list(df.columns).count(column) if is_hashable(column) else 0
            if times != 1:
                wrong = "is not a column" if times == 0 else f"is the name of {times} columns"
                raise ValueError(
                    f"{argument}={shown(column)} {wrong}: the table has "
                    f"{', '.join(map(repr, df.columns[:20])) or 'no columns'}"
                )
        named = {}
        for argument, column in [("user", user), ("item", item), ("value", value), ("time", time)]:
            if column is not None and column in named:
                raise ValueError(
                    f"{named[column]}={column!r} is also the column {argument}: name two different "
                    "ones"
                )
            named[column] = argument
        if df.empty:
            raise ValueError("the table of events is empty: give at least one event")

        rows, users = _encode(df[user], user, users, "users")
        columns, items = _encode(df[item], item, items, "items")
        values = np.ones(len(df)) if value is None else _values(df[value], value)
        times = None if time is None else _times(df[time], time)

        # A stable sort by user, item, then time: equal times keep the order of the rows.
        order = np.lexsort((columns, rows) if times is None else (times, columns, rows))
        cell = rows[order].astype(np.int64) * len(items) + columns[order]
        first = np.flatnonzero(np.r_[True, np.diff(cell) != 0])
        last = np.r_[first[1:], len(cell)] - 1
        repeated = np.flatnonzero(last > first)
        if repeated.size and duplicates == "raise":
            a, b = sorted(order[[first[repeated[0]], first[repeated[0]] + 1]].tolist())
            more = f" ({repeated.size - 1} more pairs repeat)" if repeated.size > 1 else ""
            raise ValueError(
                f"duplicate event: user {_plain(users[rows[a]])!r} and item "
                f"{_plain(items[columns[a]])!r} are in rows {a} and {b}{more}; choose "
                'duplicates="first", "last" or "mean"'
            )
        kept = order[first if duplicates == "first" else last]
        if duplicates == "mean":
            kept_values = np.add.reduceat(values[order], first) / (last - first + 1)
        else:
            kept_values = values[kept]
        indptr = np.r_[0, np.bincount(rows[kept], minlength=len(users)).cumsum()]
        matrix = sp.csr_array(
            (kept_values, columns[kept], indptr),
            shape=(len(users), len(items)),
            dtype=float,
        )
        return cls(matrix, users, items, None if times is None else times[kept])

    @classmethod
    def from_csv(
        cls,
        path: str | Path,
        user: str = "user",
        item: str = "item",
        value: str | None = None,
        time: str | None = None,
        *,
        duplicates: str = "raise",
        users=None,
        items=None,
        sha256: str | None = None,
        encoding: str = "utf-8",
    ) -> "Interactions":
        """Read a comma-separated file with one event a row and a header; see ``from_frame``.

        Parameters
        ----------
        path : str or Path
        user, item, value, time, duplicates, users, items
            As in ``from_frame``.
        sha256 : str, optional
            The checksum that the file must have, in hexadecimal.
        encoding : str
            The file's encoding.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            For a wrong checksum or encoding, a malformed or empty file, and as ``from_frame``.
        """
        table = read_csv(
            path, sha256=sha256, encoding=encoding, labels=(user, item), others=(value, time)
        )
        for column, known in [(user, users), (item, items)]:
            # Where the known ids are texts, as those of a larger file may be, so are these.
            if known is not None and is_hashable(column) and column in table:
                if table[column].dtype.kind == "i" and _are_texts(known):
                    table[column] = table[column].astype(str).astype(object)
        try:
            return cls.from_frame(
                table,
                user,
                item,
                value,
                time,
                duplicates=duplicates,
                users=users,
                items=items,
            )
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of users, number of items."""
        return self.matrix.shape

    def __len__(self):
        """Count the events."""
        return self.matrix.nnz

    def __repr__(self):
        m, n = self.shape
        filled = f" ({100 * len(self) / (m * n):.3g}% of cells)" if m * n else ""
        times = "no times" if self.times is None else "with times"
        return f"Interactions: {m:,} users x {n:,} items, {len(self):,} events{filled}, {times}"

    def user_position(self, label) -> int:
        """Row of a user.

        Raises
        ------
        ValueError
            If there is no such user.
        """
        return _position(self.users, label, "user")

    def item_position(self, label) -> int:
        """Column of an item.

        Raises
        ------
        ValueError
            If there is no such item.
        """
        return _position(self.items, label, "item")

    def keep(self, mask) -> "Interactions":
        """Keep some of the events, and all labels.

        Parameters
        ----------
        mask : array-like of bool, one for each event, in the order of ``matrix.data``

        Examples
        --------
        >>> events = pd.DataFrame({"user": [1, 2], "item": ["A", "B"], "stars": [2, 5]})
        >>> data = Interactions.from_frame(events, value="stars")
        >>> data.keep(data.matrix.data >= 4).matrix.toarray()
        array([[0., 0.],
               [0., 5.]])
        """
        mask = np.asarray(mask)
        if mask.dtype != bool or mask.shape != (len(self),):
            raise ValueError(
                f"mask is {mask.dtype} of shape {mask.shape}: give one bool for each of the "
                f"{len(self)} events"
            )
        R = self.matrix
        indptr = np.r_[0, mask.cumsum()][R.indptr]
        matrix = sp.csr_array((R.data[mask], R.indices[mask], indptr), shape=R.shape)
        times = None if self.times is None else self.times[mask]
        return Interactions(matrix, self.users, self.items, times)

    def rows(self) -> np.ndarray:
        """Row of each event, ordered like ``matrix.data`` (columns: ``matrix.indices``)."""
        return rows_of(self.matrix)

    def to_frame(self) -> pd.DataFrame:
        """List the events: columns user, item, value and, if there are times, time."""
        table = {
            "user": self.users[self.rows()],
            "item": self.items[self.matrix.indices],
            "value": self.matrix.data,
        }
        if self.times is not None:
            table["time"] = self.times
        return pd.DataFrame(table)


def read_csv(
    path: str | Path, *, sha256: str | None = None, encoding: str = "utf-8", labels=(), others=()
) -> pd.DataFrame:
    """Read a comma-separated file with a header; only an empty field counts as missing.

    The columns named in ``labels`` stay as they are written: 0001047973 and 1047973 are two items,
    and 1E5 is no number. Where all are whole numbers in their shortest form they become integers.
    There is one column, and no second, of each of these names and of ``others``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        For a wrong checksum or encoding, rows of unequal length, and a file without rows.
    """
    path, labels = as_path(path), {name for name in labels if is_hashable(name)}
    if path.is_dir():
        raise ValueError(f"path {str(path)!r} is a folder: name a CSV file inside it")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        remedy = f"check its spelling and the folder you are in, {str(Path.cwd())!r}"
        if sha256:  # one of the course's own
            remedy = "restore it (`python3 -m recsys_lab check` says how)"
        raise FileNotFoundError(f"path {str(path)!r} does not exist: {remedy}") from None
    if not content.strip():
        raise ValueError(f"path {str(path)!r} is an empty file: give a CSV file with a header")
    if sha256 is not None:
        found = hashlib.sha256(content).hexdigest()
        if found != sha256.lower():
            raise ValueError(
                f"path {str(path)!r} has sha256 {found} where {sha256} is expected: the file was "
                "changed or cut short, so restore the original (`python3 -m recsys_lab check` says "
                "how)"
            )
    for start, kind in NO_CSV.items():
        if content.startswith(start):
            raise ValueError(f"path {str(path)!r} is no CSV file, its first bytes are {kind}")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding in ("utf-8", "latin-1"):
        raise ValueError(
            f"path {str(path)!r} is no {encoding}, its first bytes are those of UTF-16: pass "
            'encoding="utf-16"'
        )
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"path {str(path)!r} is not {encoding} (byte {error.start + 1}, "
            f"0x{content[error.start]:02x}, does not fit): save it as UTF-8 or pass its encoding, "
            'such as encoding="latin-1"'
        ) from None
    except (LookupError, TypeError):
        raise ValueError(
            f"encoding={shown(encoding)} is unknown: try 'utf-8' or 'latin-1'"
        ) from None
    # Zero bytes are UTF-16 read as UTF-8; pandas would take them for part of the text.
    if "\0" in text:
        raise ValueError(
            f"path {str(path)!r} holds zero bytes when read as {encoding}: pass its encoding, "
            'such as encoding="utf-16"'
        )
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise ValueError(f"path {str(path)!r} is an empty file: give a CSV file with a header")
    try:
        with warnings.catch_warnings():
            # Rows longer than the header: pandas would warn, and cut them.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                io.StringIO(text),
                index_col=False,
                keep_default_na=False,
                na_values=[""],
                low_memory=False,
                dtype=dict.fromkeys(labels, object),
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise ValueError(
            f"path {str(path)!r} is malformed: each row needs as many fields as the header "
            f"({str(error).strip().splitlines()[-1]})"
        ) from None
    if table.empty:
        raise ValueError(f"path {str(path)!r} has a header but no rows: give at least one row")
    # pandas would call the second one "item.1", and nobody would know which was read.
    header = next(csv.reader(io.StringIO(text.lstrip())), [])
    for name in header:
        if name in (*labels, *others) and header.count(name) > 1:
            raise ValueError(
                f"path {str(path)!r} has {header.count(name)} columns of the name {name!r}: "
                "rename one of them"
            )
    for name in labels & set(table):
        # Up to 18 digits: more may not fit into 64 bits.
        whole = table[name].dropna().astype(str).str.fullmatch(r"0|-?[1-9]\d{0,17}")
        if whole.all() and not table[name].isna().any():
            table[name] = table[name].astype(np.int64)
    return table


def as_matrix(R, name: str) -> np.ndarray | sp.csr_array:
    """Check that R is a matrix of finite numbers, and return it as float64, dense or CSR as it is.

    A CSR has sorted columns and no duplicates. The result may share memory with R.
    """
    if isinstance(R, Interactions):
        return R.matrix
    R = as_numbers(R, name)
    if R.ndim != 2:
        raise ValueError(f"{name} has {R.ndim} dimensions: give a matrix, users x items")
    if sp.issparse(R):
        R = sp.csr_array(R, dtype=float)
        if not R.has_canonical_format:
            R = R.copy()
            R.sum_duplicates()
    else:
        R = R.astype(float, copy=False)
    if 0 in R.shape:
        raise ValueError(f"{name} has shape {R.shape}: give at least one user and one item")
    return as_finite(R, name)


def as_finite(R, name: str):
    """Check that a matrix, dense or CSR, holds finite numbers whose squares are finite too."""
    finite = np.isfinite(R.data if sp.issparse(R) else R)
    if not finite.all():
        at = int(finite.argmin())
        if sp.issparse(R):
            value, column = R.data[at], R.indices[at]
            row = int(np.searchsorted(R.indptr, at, side="right")) - 1
        else:
            row, column = divmod(at, R.shape[1])
            value = R[row, column]
        raise ValueError(
            f"{name} holds {value} in row {row}, column {column}: put a finite number there"
        )
    values = R.data if sp.issparse(R) else R
    if values.size and max(float(values.max()), -float(values.min())) > LARGEST_VALUE:
        raise ValueError(
            f"{name} holds values as large as {np.abs(values).max():g}, whose squares overflow: "
            "divide them by a number that fits"
        )
    return R


def as_numbers(R, name: str):
    """Check that R is an array, dense or sparse, of real numbers; NaN and infinity may be in it."""
    if R is None or isinstance(R, (str, bytes)):  # numpy would make them an array without sides
        raise ValueError(f"{name}={shown(R)}: give numbers")
    if isinstance(R, np.ma.MaskedArray):
        raise ValueError(
            f"{name} is a masked array, and its mask would be lost: pass {name}.filled(0) where a "
            "masked cell is an empty one"
        )
    if not sp.issparse(R):
        try:
            R = np.asarray(R)
        except ValueError:
            raise ValueError(f"{name} has rows of unequal length: give a matrix") from None
    # Neither half of a complex number nor a date's nanoseconds are meant.
    if R.dtype.kind in "cmMSU":
        real = "real " * (R.dtype.kind == "c")
        raise ValueError(f"{name} holds {R.dtype} entries: give {real}numbers")
    if R.dtype.kind not in "biuf":
        try:
            R = R.astype(float)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{name} holds {R.dtype} entries: give numbers") from None
    return R


def shown(value) -> str:
    """Return what a learner gave, short enough for a sentence."""
    if isinstance(value, (np.ndarray, pd.DataFrame, pd.Series)) or sp.issparse(value):
        return f"<{type(value).__name__} of shape {value.shape}>"
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:78] + " …"


def is_hashable(value) -> bool:
    """Tell whether a value can be looked up, as a column or as a choice."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def as_choice(value, name: str, choices) -> str:
    """Check that a text is one of some."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}={shown(value)}: choose one of {', '.join(choices)}")
    return value


def as_yes_or_no(value, name: str) -> bool:
    """Check that this is True or False: a text such as "no" would be taken for a yes."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name}={shown(value)}: choose True or False")
    return bool(value)


def as_path(path, name: str = "path") -> Path:
    """Check that this can be a path."""
    try:
        path = Path(path)
    except TypeError:
        raise ValueError(f"{name}={shown(path)} is no path: give it as a text") from None
    if "\0" in str(path):
        raise ValueError(f"{name}={shown(str(path))} holds a zero byte: give a path without one")
    return path


def as_rng(rng, name: str = "rng") -> np.random.Generator:
    """Check a seed or a generator, and return a generator."""
    if rng is None:
        raise ValueError(f"{name}=None would never repeat: pass a seed or np.random.default_rng(0)")
    try:
        if isinstance(rng, (bool, np.bool_, str)):
            raise TypeError
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}={shown(rng)} is no seed: pass a whole number from 0 on, or "
            "np.random.default_rng(0)"
        ) from None


def as_number(
    value,
    name: str,
    *,
    least: float = 0,
    above: bool = False,
    most: float = LARGEST_NUMBER,
    such: str = "",
) -> float:
    """Check that a number is at least (or above) ``least``, and at most ``most``."""
    fits = isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
    if fits:
        fits = (value > least if above else value >= least) and value <= most
    if not fits:
        what = f"a number above {least:g}" if above else f"a number of {least:g} or more"
        what += f", and at most {most:g}" if most < LARGEST_NUMBER else ""
        raise ValueError(f"{name}={shown(value)}: choose {what}{such and f', such as {such}'}")
    return float(value)


def as_csr(R, name: str) -> sp.csr_array:
    """Return Interactions, a sparse or a dense matrix as CSR whose stored entries are the events.

    A bare matrix has no event where it holds 0, be that stored or not, so that dense and sparse
    agree; only Interactions can hold an event of value 0. The result may share memory with R.
    """
    matrix = sp.csr_array(as_matrix(R, name))
    if not isinstance(R, Interactions) and (matrix.data == 0).any():
        matrix = matrix.copy()
        matrix.eliminate_zeros()
    return matrix


def rows_of(R) -> np.ndarray:
    """Return the row of each stored entry of a CSR matrix, ordered like ``R.data``."""
    return np.repeat(np.arange(R.shape[0]), np.diff(R.indptr))


def draw_unseen(users, taken, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw an item for each of some users, every one that is not taken as likely as another.

    Parameters
    ----------
    users : int array
        User positions; one may come many times. Each needs an item that is not taken.
    taken : sorted int array
        The cells that may not be drawn, as ``user * n + item``: a users x items table of them would
        not fit where there are many.
    n : int
        How many items there are.
    """
    items = rng.integers(n, size=len(users))
    again = np.arange(len(users))
    while True:
        cells = users[again] * n + items[again]
        place = np.minimum(np.searchsorted(taken, cells), len(taken) - 1)
        again = again[taken[place] == cells] if len(taken) else again[:0]
        if not again.size:
            return items
        items[again] = rng.integers(n, size=again.size)


def as_count(value, name: str, *, most: int | None = None, why: str = "") -> int:
    """Check that a number is whole, at least 1 and at most ``most``."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        count = operator.index(value)
    except TypeError:
        raise ValueError(f"{name}={shown(value)} is not a whole number: choose 1 or more") from None
    if count < 1:
        raise ValueError(f"{name}={shown(count)} is too small: choose 1 or more")
    if count > LARGEST_COUNT:
        raise ValueError(f"{name}={shown(count)} is too large: choose at most {LARGEST_COUNT:,}")
    if most is not None and count > most:
        raise ValueError(f"{name}={count} is larger than {why}: choose {name} <= {most}")
    return count


def as_dropout(value, name: str = "dropout") -> float:
    """Check a share that may be 0 and not 1."""
    if as_number(value, name, most=1, such="0.2") == 1:
        raise ValueError(f"{name}={value!r} leaves nothing: choose a share such as 0.2")
    return float(value)


def as_pictures(pictures) -> np.ndarray:
    """Check that these are n pictures in red, green and blue: n x h x w x 3, uint8."""
    pictures = np.asarray(pictures)
    if pictures.ndim != 4 or pictures.shape[-1] != 3 or pictures.dtype != np.uint8:
        raise ValueError(
            f"pictures has shape {pictures.shape} and type {pictures.dtype}: give n x h x w x 3, "
            "uint8, as load_picture_shop does"
        )
    return pictures


def as_positions(values, count: int, name: str) -> np.ndarray:
    """Check whole numbers from 0 to count - 1, and return them as one row."""
    try:
        positions = np.asarray(values).ravel()
    except ValueError:
        raise ValueError(f"{name} is no list: give positions, whole numbers") from None
    if positions.size and positions.dtype.kind not in "iu":
        raise ValueError(f"{name} holds {positions.dtype} entries: give positions, whole numbers")
    positions = positions.astype(int)
    wrong = positions[(positions < 0) | (positions >= count)]
    if wrong.size:
        raise ValueError(f"{name} holds the position {wrong[0]}: choose from 0 to {count - 1}")
    return positions


def as_share(value, name: str = "share") -> float:
    """Check that a number lies strictly between 0 and 1."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise ValueError(f"{name}={shown(value)} is not a number: choose one between 0 and 1")
    if not 0 < value < 1:
        raise ValueError(f"{name}={value!r} is outside (0, 1): choose a share such as 0.2")
    return float(value)


def _labels(labels, name, length=None):
    """Check labels and return a copy: integers, or Python objects of one type."""
    if isinstance(labels, np.ma.MaskedArray):
        raise ValueError(f"{name} is a masked array: give every row and column a label")
    try:
        labels = np.asarray(labels)
    except ValueError:
        raise ValueError(f"{name} is no list of labels: give a list of texts or numbers") from None
    if labels.ndim != 1 or (length is not None and len(labels) != length):
        raise ValueError(
            f"{name} has shape {labels.shape}: give one label for each of the {length} "
            f"{'rows' if name == 'users' else 'columns'} of the matrix"
            if length is not None
            else f"{name} has shape {labels.shape}: give a list of labels"
        )
    missing = pd.isna(labels)
    if missing.any():
        raise ValueError(f"{name} lacks label {int(missing.argmax())}: give every one a label")
    if (at := _no_label(labels)) is not None:
        raise ValueError(f"{name} has the label {_plain(labels[at])!r}: give that one a name")
    # Text as Python strings, not numpy's fixed-width ones: an element then prints as 'A'.
    labels = labels.astype(object) if labels.dtype.kind == "U" else labels.copy()
    again = pd.Series(labels).duplicated().to_numpy()
    if again.any():
        raise ValueError(
            f"{name} has the label {_plain(labels[again.argmax()])!r} twice: give each label once"
        )
    return labels


def _encode(column, name, known, argument):
    """Return each label's position, and the labels: the known ones, or those found, sorted."""
    found = np.asarray(column)
    missing = pd.isna(found)
    if missing.any():
        raise ValueError(
            f"column {name!r} has no label in row {int(missing.argmax())}: fill it in or drop the "
            "row"
        )
    if (at := _no_label(found)) is not None:
        raise ValueError(
            f"column {name!r} has the label {_plain(found[at])!r} in row {at}: fill it in or drop "
            "the row"
        )
    if found.dtype.kind == "O":
        types = sorted({type(label).__name__ for label in found})
        if len(types) > 1:
            raise ValueError(
                f"column {name!r} mixes labels of the types {' and '.join(types)}: convert them to "
                "one type"
            )
        if isinstance(found[0], (int, np.integer)):  # pandas' nullable integers arrive as objects
            try:
                found = found.astype(np.int64)
            except OverflowError:
                raise ValueError(
                    f"column {name!r} has whole numbers of more than 18 digits: make it text with "
                    ".astype(str)"
                ) from None
        elif not is_hashable(found[0]):
            raise ValueError(
                f"column {name!r} has labels of the type {types[0]}: make them text or numbers"
            )
    if known is None:
        codes, labels = pd.factorize(found, sort=True)
        return codes, _labels(labels, argument)
    labels = _labels(known, argument)
    codes = pd.Index(labels).get_indexer(pd.Index(found))
    if (codes < 0).any():
        row = int((codes < 0).argmax())
        raise ValueError(
            f"column {name!r} has the unknown id {_plain(found[row])!r} in row {row}: add it to "
            f"{argument} or drop the row"
        )
    return codes, labels


def _numbers(column, name, kind):
    """Return a column as numbers, or say which entry is none."""
    missing = column.isna().to_numpy()
    if missing.any():
        raise ValueError(
            f"column {name!r} has no {kind} (NaN) in row {int(missing.argmax())}: fill it in or "
            "drop the row"
        )
    numbers = pd.to_numeric(column, errors="coerce")
    bad = numbers.isna().to_numpy() | (np.asarray(numbers).dtype.kind == "c")
    if not bad.any():
        numbers = np.asarray(numbers)
        numbers = numbers.astype(np.int64 if numbers.dtype.kind in "biu" else np.float64)
        bad = ~np.isfinite(numbers)
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"column {name!r} has the {kind} {_plain(column.iloc[row])!r} in row {row}: it must be "
            "a finite number, so mend it or drop the row"
        )
    return numbers


def _no_label(labels):
    """Return the first place of a text without a letter or of a number that is infinite."""
    if labels.dtype.kind == "f":
        wrong = np.isinf(labels)
    elif labels.dtype.kind in "OU":
        wrong = np.array([isinstance(each, str) and not each.strip() for each in labels], bool)
    else:
        return None
    return int(wrong.argmax()) if wrong.any() else None


def _are_texts(labels):
    try:
        return all(isinstance(label, str) for label in labels)
    except TypeError:
        return False  # no labels at all: said where they are looked at


def _values(column, name):
    if column.dtype.kind in "mM" or isinstance(column.dtype, (pd.DatetimeTZDtype, pd.PeriodDtype)):
        raise ValueError(
            f"column {name!r} has the value {str(column.iloc[0])!r} in row 0, a date: a value is a "
            "number, so name another column, or pass this one as time="
        )
    values = _numbers(column, name, "value").astype(np.float64)
    if (values < 0).any():
        row = int((values < 0).argmax())
        raise ValueError(
            f"column {name!r} has the negative value {values[row]:g} in row {row}: values must be "
            "0 or more"
        )
    return values


def _times(column, name):
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = (column - pd.Timestamp(0, tz=column.dt.tz)) / pd.Timedelta(seconds=1)
    elif pd.api.types.is_timedelta64_dtype(column.dtype):
        column = column / pd.Timedelta(seconds=1)
    return _numbers(column, name, "time")


def _position(labels, label, kind):
    equal = labels == label if np.isscalar(label) else np.zeros(0)
    hits = np.flatnonzero(equal)
    if len(hits) != 1:
        some = ", ".join(repr(_plain(known)) for known in labels[:5])
        more = ", ..." if len(labels) > 5 else ""
        raise ValueError(f"{kind} {shown(label)} is unknown: choose one of {some}{more}")
    return int(hits[0])


def _plain(label):
    """Return a numpy scalar as the Python value that a learner typed."""
    return label.item() if isinstance(label, np.generic) else label
