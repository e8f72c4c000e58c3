"""Reading a log as it comes: any delimiter and encoding, dirty rows, ten million of them.

`Interactions` refuses a dirty table, which is right for a lesson. An audit is asked what is wrong:
so here every row is either used, or left out and counted with its reason, and what was guessed
(columns, delimiter, encoding, unit of the times) is said. A file is read in parts, and a part is
kept as positions and numbers: 24 bytes a row, and each label once.
"""

import codecs
import csv
import gzip
import io
import re
import unicodedata
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ..course.status import progress_line
from ..data.interactions import LARGEST_VALUE, NO_CSV, Interactions, as_path, is_hashable, shown

# Rows of a part: 200,000 rows of four texts are about 60 MB.
PART = 200_000
BLOCK = 1 << 20  # bytes
EXAMPLES = 5  # lines that are named for each reason
ROLES = ("user", "item", "value", "time")
# Words of a column's name, and what it then holds; the first that fits decides.
WORDS = {
    "time": "timestamp time date datetime ts when day created at epoch 时间 日期 zeit datum",
    "value": "rating stars score value count quantity qty plays weight amount clicks 评分 "
    "bewertung",
    "user": "user userid customer client visitor member account reader person buyer learner "
    "patient listener uid 用户 nutzer kunde",
    "item": "item itemid product movie film article book track song artist sku asin isbn content "
    "page video course game good iid 商品 物品 artikel",
}
DELIMITERS = (",", "\t", ";", "|", "::")
# The magnitude of a time stamp tells its unit: in seconds these are 1973 to 2600.
UNITS = (("nanoseconds", 1e17, 1e9), ("microseconds", 1e14, 1e6), ("milliseconds", 1e11, 1e3))


@dataclass
class EventLog:
    """A log as positions and numbers, and what was found while reading it.

    Attributes
    ----------
    users, items : int arrays, one entry a row that is used: positions in the labels.
    values, times : float arrays alike, or None. Times are in seconds if ``dated``, else in whatever
        unit the log has.
    user_labels, item_labels : arrays of labels
    columns : role -> name of its column
    guessed : the roles whose column was guessed
    rows : how many rows were read
    left_out : reason -> [how many rows, the first few lines]
    notes : what else there is to know, in sentences
    """

    users: np.ndarray
    items: np.ndarray
    values: np.ndarray | None
    times: np.ndarray | None
    user_labels: np.ndarray
    item_labels: np.ndarray
    dated: bool = False
    columns: dict = field(default_factory=dict)
    guessed: tuple = ()
    rows: int = 0
    left_out: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)

    def __len__(self):
        return len(self.users)


def read_log(source, *, user=None, item=None, value=None, time=None) -> EventLog:
    """Read Interactions, a table, or a CSV or Parquet file as an `EventLog`.

    Parameters
    ----------
    source : Interactions, DataFrame, str or Path
        A file may be packed by gzip. Its delimiter (comma, tab, semicolon, bar or ``::``) and its
        encoding are found out.
    user, item, value, time : str, optional
        The columns. What is not given is guessed from the names and what is in them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the source is none of these, a column is missing or cannot be guessed, or no row can be
        used.
    """
    given = {"user": user, "item": item, "value": value, "time": time}
    for role, name in given.items():
        if name is not None and not is_hashable(name):
            raise ValueError(f"{role}={shown(name)} is no column: give its name")
    if isinstance(source, Interactions):
        return _of_interactions(source, given)
    if isinstance(source, pd.DataFrame):
        if source.empty:
            raise ValueError("interactions is a table without rows: give at least one event")
        columns, guessed = _choose(source, given)
        collector = Collector(columns, guessed)
        # Rows by their place: an index may name two rows alike.
        table = source[list(columns.values())].reset_index(drop=True)
        collector.add(table, np.arange(len(source)))
        return collector.log()
    if not isinstance(source, (str, Path)):
        raise ValueError(
            f"interactions={shown(source)}: give Interactions, a pandas DataFrame, or the path of "
            "a CSV or Parquet file"
        )
    path = as_path(source, "interactions")
    if path.is_dir():
        raise ValueError(f"interactions={str(path)!r} is a folder: name a file inside it")
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"interactions={str(path)!r} does not exist: check its spelling and the folder you are "
            f"in, {str(Path.cwd())!r}"
        ) from None
    if start == b"PAR1":
        return _of_parquet(path, given)
    for magic, kind in NO_CSV.items():
        if start.startswith(magic) and not start.startswith(b"\x1f\x8b"):
            raise ValueError(f"interactions={str(path)!r} is no CSV file: it begins as {kind}")
    return _of_csv(path, given)


# --- What is guessed ----------------------------------------------------------------------------


def _choose(table: pd.DataFrame, given: dict) -> tuple[dict, tuple]:
    """Choose a column for each role: those given, then by name, then by content."""
    names = list(table.columns)
    for role, name in given.items():
        if name is not None and names.count(name) != 1:
            wrong = "is not a column" if name not in names else "is the name of several columns"
            raise ValueError(
                f"{role}={shown(name)} {wrong}: the log has {', '.join(map(repr, names[:20]))}"
            )
    chosen = {role: name for role, name in given.items() if name is not None}
    if len(set(chosen.values())) < len(chosen):
        raise ValueError(f"user, item, value and time must be different columns: {chosen}")
    free = [name for name in names if name not in chosen.values() and names.count(name) == 1]
    # Whole words before parts of words, and a name's words from the left: user_id is a user.
    for whole in (True, False):
        for role, words in WORDS.items():
            fits = [name for name in free if _is_called(name, words.split(), whole)]
            if role not in chosen and fits:
                chosen[role] = fits[0]
                free.remove(fits[0])
    _by_content(table, chosen, free)
    for role in ("user", "item"):
        if role not in chosen:
            raise ValueError(
                f"{role} cannot be guessed from the columns {', '.join(map(repr, names[:20]))}: "
                f"name the one that holds the {role}s, {role}=..."
            )
    columns = {role: chosen[role] for role in ROLES if role in chosen}
    return columns, tuple(role for role in columns if given[role] is None)


def _is_called(name, words, whole):
    parts = re.sub(r"([a-z])([A-Z])", r"\1 \2", str(name))
    parts = re.split(r"[\W_]+", parts.lower())
    if whole:
        return bool(set(words) & {*parts, "".join(parts)})
    return any(len(word) > 3 and word in "".join(parts) for word in words)


def _by_content(table, chosen, free):
    """Guess what no name has told: a time by its size, a value by how few there are."""
    head = table[free].head(1000)
    for name in list(free):
        column = head[name].dropna()
        numbers = pd.to_numeric(column, errors="coerce")
        if "time" not in chosen and len(column) and _looks_like_times(column, numbers):
            chosen["time"] = name
            free.remove(name)
    for name in list(free):
        numbers = pd.to_numeric(head[name], errors="coerce")
        few = head[name].nunique() <= 20 and len(head) > 40
        # A column is left for each of the user and the item.
        spare = len(free) > sum(role not in chosen for role in ("user", "item"))
        if "value" not in chosen and numbers.notna().all() and few and spare:
            chosen["value"] = name
            free.remove(name)
    # Two unnamed ones, as in a file without a header: users come first, nearly everywhere.
    missing = [role for role in ("user", "item") if role not in chosen]
    if len(missing) == len(free) or (missing and all(map(_is_number, free))):
        for role, name in zip(missing, list(free), strict=False):
            chosen[role] = name
            free.remove(name)


def _is_number(name):
    return bool(re.fullmatch(r"column \d+", str(name)))


def _looks_like_times(column, numbers):
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return True
    if numbers.notna().mean() > 0.9:
        typical = numbers.abs().median()
        return typical > 5e8 and numbers.nunique() > 1 and typical < 5e18
    text = column.astype(str).head(50)
    dated = text.str.contains(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}:\d{2}", regex=True)
    return bool(dated.mean() > 0.9)


# --- Collecting ---------------------------------------------------------------------------------


class Collector:
    """Takes a log part by part, and keeps positions and numbers."""

    def __init__(self, columns: dict, guessed: tuple, *, marks=False, comma: str | None = None):
        self.columns, self.guessed, self.marks = columns, guessed, marks
        self.known = {"user": {}, "item": {}}
        self.parts = {role: [] for role in columns}
        self.rows, self.left_out, self.notes = 0, {}, []
        self.clock, self.comma = None, comma  # what a comma in a number becomes, once known
        self.trimmed = 0

    def leave_out(self, reason: str, lines) -> None:
        """Count rows that are not used."""
        if len(lines):
            entry = self.left_out.setdefault(reason, [0, []])
            entry[0] += len(lines)
            entry[1] += [int(line) for line in lines[: EXAMPLES - len(entry[1])]]

    def add(self, table: pd.DataFrame, lines: np.ndarray) -> None:
        """Take a part; ``lines`` says where each row stands in the file."""
        self.rows += len(table)
        good = np.ones(len(table), dtype=bool)
        found = {}
        for role, name in self.columns.items():
            column = table[name]
            if role in ("user", "item"):
                found[role], wrong = self._texts(column, f"no {role}")
            elif role == "value":
                found[role], wrong = self._numbers(column, name)
            else:
                if self.clock is None and column.notna().any():
                    self.clock = Clock(column, name)
                if self.clock is None:  # no time so far, so how they are written is not known
                    found[role] = np.full(len(column), np.nan)
                    wrong = {f"no {name}": np.ones(len(column), dtype=bool)}
                else:
                    found[role], wrong = self.clock.read(column)
            for reason, mask in wrong.items():
                self.leave_out(reason, lines[good & mask])
                good &= ~mask
        for role, column in found.items():
            column = column[good]
            if role in ("user", "item"):
                codes, labels = pd.factorize(column)
                known = self.known[role]
                places = [known.setdefault(label, len(known)) for label in labels.tolist()]
                column = np.array(places, dtype=np.int32)[codes] if len(codes) else codes
                column = column.astype(np.int32)
            self.parts[role].append(column)

    def _texts(self, column, reason):
        """Return labels, trimmed, and which are missing."""
        missing = column.isna().to_numpy(copy=True)  # pandas' own may be read-only
        too_large = column.dtype.kind == "u" and (column > np.iinfo(np.int64).max).any()
        if column.dtype.kind in "iub" and not too_large:
            filled = column.fillna(0) if missing.any() else column
            return filled.to_numpy(dtype=np.int64), {reason: missing}
        if column.dtype.kind == "f":  # whole numbers beside a gap
            numbers = column.to_numpy()
            missing |= ~np.isfinite(numbers)
            # Beyond 2^53 a float is no label: two neighbours are the same number.
            whole = ((numbers[~missing] % 1 == 0) & (np.abs(numbers[~missing]) < 2**53)).all()
            filled = np.where(missing, 0, numbers)
            return (filled.astype(np.int64) if whole else filled), {reason: missing}
        text = column.astype(object).where(~missing, "").map(str)
        trimmed = text.str.strip('" \t\r\n\ufeff' if self.marks else None)
        self.trimmed += int((trimmed != text).sum()) if not self.marks else 0
        labels = trimmed.to_numpy(dtype=object)
        return labels, {reason: missing | (labels == "")}

    def _numbers(self, column, name):
        """Return a column as numbers, and which are none."""
        missing = column.isna().to_numpy()
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        unread = ~missing & np.isnan(numbers)
        if unread.any() and column.dtype.kind not in "iuf":
            text = column[unread].astype(str).str.strip()
            commas = text.str.contains(",", regex=False)
            thousands = text.str.fullmatch(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
            if self.comma is None and commas.any():
                # 1,234 and 12,500: where all are so, the comma parts thousands, else it is 3,5.
                self.comma = "" if thousands[commas].all() else "."
                what = "is the decimal mark" if self.comma else "parts thousands"
                self.notes.append(f"The comma in {name} {what}, as in {text[commas].iloc[0]!r}.")
            meant = thousands if self.comma == "" else commas
            text = text.mask(meant, text.str.replace(",", self.comma or "", regex=False))
            numbers = numbers.copy()
            numbers[unread] = pd.to_numeric(text, errors="coerce")
            unread = ~missing & np.isnan(numbers)
        unread |= np.isinf(numbers)
        return numbers, {
            f"no {name}": missing,
            f"a {name} that is no number": unread,
            f"a {name} below 0": ~missing & (numbers < 0),
            f"a {name} above {LARGEST_VALUE:g}": ~missing & (numbers > LARGEST_VALUE),
        }

    def log(self) -> EventLog:
        """Return all that was taken."""
        joined = {}
        for role in self.columns:
            joined[role] = np.concatenate(self.parts.pop(role)) if self.parts.get(role) else None
        if not self.rows:
            raise ValueError("interactions holds a header but no rows: give at least one event")
        if joined["user"] is None or not len(joined["user"]):
            told = "; ".join(f"{reason} ({count[0]:,})" for reason, count in self.left_out.items())
            raise ValueError(f"interactions has no row that can be used: {told}; mend the file")
        log = EventLog(
            joined["user"],
            joined["item"],
            joined.get("value"),
            joined.get("time"),
            _as_labels(self.known["user"]),
            _as_labels(self.known["item"]),
            dated=self.clock is not None and self.clock.dated,
            columns=self.columns,
            guessed=self.guessed,
            rows=self.rows + sum(c[0] for r, c in self.left_out.items() if r == TOO_MANY),
            left_out=self.left_out,
            notes=self.notes + (self.clock.notes if self.clock else []),
        )
        if self.trimmed:
            log.notes.append(f"Spaces around {self.trimmed:,} labels were cut off.")
        for role, labels in (("user", log.user_labels), ("item", log.item_labels)):
            alike = _alike(labels)
            if alike:
                log.notes.append(
                    f"{len(alike):,} {role} label{'s differ' if len(alike) > 1 else ' differs'} "
                    f"from another one only in case, spaces or Unicode form, such as "
                    f"{alike[0]!r}: the audit takes them for different {role}s."
                )
        return log


TOO_MANY = "too many fields"


def _as_labels(known) -> np.ndarray:
    """Return labels as an array; whole numbers in their shortest form become numbers."""
    labels = np.array(list(known), dtype=object)
    if all(isinstance(each, str) for each in known):
        whole = re.compile(r"0|-?[1-9]\d{0,17}").fullmatch
        if all(whole(each) for each in known):
            return labels.astype(np.int64)
    elif all(isinstance(each, (int, np.integer)) for each in known):
        return labels.astype(np.int64)
    return labels


def _alike(labels) -> list:
    """List labels that another one equals but for case, spaces or Unicode form."""
    if labels.dtype.kind != "O":
        return []
    seen, alike = {}, []
    for label in labels:
        plain = unicodedata.normalize("NFKC", str(label)).casefold()
        plain = " ".join(plain.split())
        if seen.setdefault(plain, label) != label:
            alike.append(label)
    return alike


class Clock:
    """Reads a column of times; the first part decides how."""

    def __init__(self, column, name):
        self.name, self.notes, self.scale, self.dated = name, [], 1.0, True
        some = column.dropna().head(5000)
        numbers = pd.to_numeric(some, errors="coerce")
        self.numeric = column.dtype.kind in "iuf" or (
            column.dtype.kind not in "Mm" and len(some) > 0 and numbers.notna().mean() > 0.9
        )
        self.dayfirst = False
        if self.numeric:
            typical = float(numbers.abs().median()) if len(some) else 0.0
            if 1.9e7 < typical < 2.2e7 and _as_days(numbers).notna().mean() > 0.95:
                self.numeric = False
                self.notes.append(f"Times ({name}) are read as days, written YYYYMMDD.")
                return
            for unit, least, scale in UNITS:
                if typical >= least:
                    self.scale = scale
                    self.notes.append(f"Times ({name}) are in {unit} since 1970, by their size.")
                    return
            self.dated = typical >= 1e8
            if not self.dated:
                self.notes.append(
                    f"Times ({name}) are numbers such as {typical:g}, no dates: their order is "
                    "used, their unit is not known."
                )
        elif column.dtype.kind not in "Mm":
            slashed = r"^\s*(\d{1,2})[-/.](\d{1,2})[-/.]\d{2,4}"
            if some.astype(str).str.match(slashed).mean() > 0.5:
                # Of all rows: a log in the order of time begins with days up to 12.
                parts = column.dropna().astype(str).str.extract(slashed)
                first, second = (pd.to_numeric(parts[k]) for k in (0, 1))
                self.dayfirst = bool((first > 12).any())
                unclear = not (first > 12).any() and not (second > 12).any()
                order = "day before month" if self.dayfirst else "month before day"
                sure = ", which nothing in the log confirms" if unclear else ""
                self.notes.append(f"Dates ({name}) are read {order}{sure}.")

    def read(self, column):
        """Return times as numbers, and which are missing or not to be read."""
        missing = column.isna().to_numpy()
        if self.numeric:
            found = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
            found = found / self.scale
        else:
            stamps = self._stamps(column)
            # In seconds: in nanoseconds, as pandas would have it, the year 9999 is out of bounds.
            zero = pd.Timestamp(0, tz="UTC").as_unit("s")
            found = ((stamps - zero) / pd.Timedelta(1, "s").as_unit("s")).to_numpy()
        unread = ~missing & ~np.isfinite(found)
        return found, {
            f"no {self.name}": missing,
            f"a {self.name} that is no time": unread,
        }

    def _stamps(self, column):
        if column.dtype.kind == "M" or isinstance(column.dtype, pd.DatetimeTZDtype):
            return pd.to_datetime(column, utc=True)
        if column.dtype.kind in "iuf":
            return _as_days(column)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ways = {"errors": "coerce", "utc": True, "dayfirst": self.dayfirst}
            text = column.astype(object).where(column.notna(), "")
            stamps = pd.to_datetime(text, **ways)
            again = stamps.isna() & (text != "")
            if again.any():
                mixed = pd.to_datetime(text[again], format="mixed", **ways)
                stamps = stamps.where(~again, mixed.reindex(stamps.index))
        return stamps


def _as_days(numbers):
    text = pd.Series(numbers).map(lambda n: f"{n:.0f}" if pd.notna(n) else "")
    return pd.to_datetime(text, format="%Y%m%d", errors="coerce", utc=True)


# --- Sources ------------------------------------------------------------------------------------


def _of_interactions(data: Interactions, given) -> EventLog:
    named = [role for role, name in given.items() if name is not None]
    if named:
        raise ValueError(
            f"{named[0]}={shown(given[named[0]])} names a column, which Interactions do not have: "
            "leave it out, or pass the table"
        )
    if not len(data):
        raise ValueError("interactions has no events: give at least one")
    values, times, dated = data.matrix.data, data.times, False
    if times is not None:
        if times.dtype.kind == "M":
            times = (times - np.datetime64(0, "s")) / np.timedelta64(1, "s")
        times = times.astype(float)
        dated = 1e8 <= np.median(np.abs(times)) < 1e11
    return EventLog(
        data.rows().astype(np.int32),
        data.matrix.indices.astype(np.int32),
        None if (values == 1).all() else np.array(values),
        times,
        data.users,
        data.items,
        dated=bool(dated),
        columns={"user": "user", "item": "item"},
        rows=len(data),
        notes=["Interactions hold each pair of user and item once: copies were dealt with before."],
    )


def _of_parquet(path, given) -> EventLog:
    try:
        from pyarrow import int64, parquet, uint64
    except ImportError:
        raise ValueError(
            f"interactions={str(path)!r} is a Parquet file, which needs one more package: "
            "`.venv/bin/python -m pip install pyarrow` (or `uv pip install pyarrow`), or save the "
            "table as CSV"
        ) from None
    show = progress_line()
    whole = {int64(): pd.Int64Dtype(), uint64(): pd.UInt64Dtype()}
    with parquet.ParquetFile(path) as file:
        collector, done, total = None, 0, max(1, file.metadata.num_rows)
        try:
            for batch in file.iter_batches(batch_size=PART):
                # Whole numbers beside a gap stay whole; an index that pandas wrote is a column, but
                # for one without a name.
                table = batch.to_pandas(types_mapper=whole.get, ignore_metadata=True)
                table = table.loc[:, ~table.columns.str.fullmatch(r"__index_level_\d+__")]
                if collector is None:
                    collector = Collector(*_choose(table, given))
                collector.add(table, np.arange(done + 1, done + len(table) + 1))
                done += len(table)
                show(f"{_bar(done / total)} {done:,} rows")
        finally:
            show("")
    if collector is None:
        raise ValueError(f"interactions={str(path)!r} has no rows: give at least one event")
    return collector.log()


def _of_csv(path, given) -> EventLog:
    show = progress_line()
    try:
        encoding, lines, notes = _scan(path)
        delimiter, names, header, some_notes = _head(path, encoding)
        notes += some_notes
        try:
            return _parsed(path, given, encoding, delimiter, names, header, lines, notes, show)
        except _Swallowed as swallowed:
            notes.append(
                f"A quotation mark is opened near line {swallowed.line:,} and never closed, which "
                "would swallow the lines after it: the file was read with quotation marks as "
                "plain letters."
            )
            return _parsed(
                path, given, encoding, delimiter, names, header, lines, notes, show, marks=True
            )
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise ValueError(
            f"interactions={str(path)!r} is cut short or damaged ({problem}): fetch or copy "
            "it again"
        ) from None
    finally:
        show("")


class _Swallowed(Exception):
    def __init__(self, line):
        super().__init__(line)
        self.line = line


def _parsed(path, given, encoding, delimiter, names, header, lines, notes, show, *, marks=False):
    """Read the whole file, part by part."""
    collector, done = None, 0
    # A line that is too long is skipped by the parser, which names it in a warning.
    skipped, told = [], []
    with _text(path, encoding) as text, warnings.catch_warnings():
        warnings.simplefilter("always", pd.errors.ParserWarning)
        warnings.showwarning = lambda message, *_: told.append(str(message))
        ways = {"sep": delimiter} if len(delimiter) == 1 else {"sep": "\x1f"}
        if len(delimiter) > 1:
            text = _Replaced(text, delimiter)
        try:
            parts = pd.read_csv(
                text,
                names=names,
                header=None,
                skiprows=header,
                dtype=object,
                index_col=False,
                keep_default_na=False,
                na_values=["", "NA", "NaN", "nan", "NULL", "null", "None", "\\N"],
                skip_blank_lines=False,
                on_bad_lines="warn",
                chunksize=PART,
                quoting=csv.QUOTE_NONE if marks else csv.QUOTE_MINIMAL,
                **ways,
            )
            for table in parts:
                skipped += [int(n) for n in re.findall(r"[Ll]ine (\d+)", "\n".join(told))]
                told.clear()
                if collector is None:
                    table.columns = names
                    columns, guessed = _choose(table, given)
                    # Where semicolons part the fields, the comma is taken: by the numbers.
                    comma = "." if delimiter == ";" else None
                    collector = Collector(columns, guessed, marks=marks, comma=comma)
                place = _lines(done, len(table), skipped, header)
                done += len(table)
                blank = table.isna().all(axis=1).to_numpy()
                collector.rows += int(blank.sum())
                collector.leave_out("an empty line", place[blank])
                kept = table.loc[~blank, list(collector.columns.values())]
                if not marks:
                    for role in ("user", "item"):
                        broken = kept[collector.columns[role]].str.contains("\n", na=False)
                        if broken.any():
                            raise _Swallowed(int(place[~blank][broken.to_numpy().argmax()]))
                collector.add(kept, place[~blank])
                show(f"{_bar(done / max(1, lines))} {done:,} rows")
        except pd.errors.ParserError as error:
            if not marks and "EOF inside string" in str(error):
                found = re.search(r"row (\d+)", str(error))
                raise _Swallowed(int(found.group(1)) + 1 if found else 1) from None
            raise ValueError(f"interactions={str(path)!r} is malformed: {error}") from None
        except pd.errors.EmptyDataError:
            raise ValueError(f"interactions={str(path)!r} is empty: give a CSV file") from None
    if collector is None:
        raise ValueError(
            f"interactions={str(path)!r} holds a header but no rows: give at least one event"
        )
    collector.leave_out(TOO_MANY, skipped)
    inside = lines - done - len(skipped) - header
    if inside > 0:
        collector.notes.append(
            f"{inside:,} line break{'s stand' if inside > 1 else ' stands'} between quotation "
            "marks, so the lines named here count rows. If no text of yours has several lines, a "
            "mark is opened and not closed, and all up to the next mark was taken for one field."
        )
    collector.notes += notes
    return collector.log()


def _lines(done, count, skipped, header):
    """Return the file's line of each row of a part, the first line being 1."""
    lines = np.arange(done, done + count) + 1 + header
    for bad in sorted(skipped):
        lines[lines >= bad] += 1
    return lines


def _scan(path):
    """Find the encoding of a file, and count its lines."""
    with _binary(path) as file:
        start = file.read(4096)
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # the first begins as UTF-16
        return "utf-32", 0, ["The file is UTF-32."]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", 0, ["The file is UTF-16, as Excel saves it."]
    if start.count(b"\0") > len(start) / 4:
        big = start[:1] == b"\0"
        return ("utf-16-be" if big else "utf-16-le"), 0, ["The file is UTF-16, without a mark."]
    decoder, lines, size = codecs.getincrementaldecoder("utf-8")(), 0, 0
    encoding, notes, end = "utf-8-sig", [], b""
    with _binary(path) as file:
        block = start
        while block:
            block = file.read(BLOCK)
            lines, size, end = lines + block.count(b"\n"), size + len(block), block[-1:] or end
            if decoder is not None:
                try:
                    decoder.decode(block, final=not block)  # it may end in the middle of a letter
                except UnicodeDecodeError as error:
                    at = size - len(block) + error.start
                    decoder, encoding = None, "cp1252"
                    line = lines - block[error.start :].count(b"\n") + 1
                    notes.append(
                        f"The file is not UTF-8 (line {line:,}, near byte {at + 1:,}): it was "
                        "read as Windows-1252. If letters look wrong, save it as UTF-8."
                    )
    if not size:
        raise ValueError(f"interactions={str(path)!r} is an empty file: give a CSV file")
    return encoding, lines + (end != b"\n"), notes


def _head(path, encoding):
    """Find the delimiter, the names of the columns, and how many lines stand above the events."""
    with _text(path, encoding) as text:
        some = [text.readline() for _ in range(20)]
    # Above the header: empty lines, and the line by which Excel is told the delimiter.
    first = [line for line in some if line.strip() and not line.lower().startswith("sep=")]
    if not first:
        raise ValueError(f"interactions={str(path)!r} is an empty file: give a CSV file")
    if re.match(r"\s*(\[\s*)?\{", "".join(first)):
        raise ValueError(
            f"interactions={str(path)!r} is JSON, no CSV: read it by pandas.read_json (with "
            "lines=True if each line is an event), and pass the table"
        )
    counts = {mark: [line.count(mark) for line in first] for mark in DELIMITERS}
    above = some.index(first[0])
    if counts["::"][0] and not any(counts[mark][0] for mark in DELIMITERS[:-1]):  # MovieLens 1M
        delimiter = "::"
    else:
        delimiter = max(
            DELIMITERS[:-1], key=lambda mark: (np.median(counts[mark]) > 0, counts[mark][0])
        )
    if not counts[delimiter][0]:
        raise ValueError(
            f"interactions={str(path)!r} has one column only, {first[0].strip()[:40]!r}: a log "
            "needs a column for the user and one for the item, with a comma, tab, semicolon or "
            "bar between them"
        )
    if len(delimiter) > 1:
        fields = first[0].strip("\r\n").split(delimiter)
    else:
        fields = next(csv.reader(first[:1], delimiter=delimiter))
    fields = [each.strip() for each in fields]
    notes = [f"The fields are parted by {DELIMITER_NAMES[delimiter]}."] * (delimiter != ",")
    if any(re.fullmatch(r"[-+]?\d+([.,]\d+)?", each) for each in fields):
        notes.append(
            "The first line looks like an event, not like names: the columns are numbered."
        )
        return delimiter, [f"column {k + 1}" for k in range(len(fields))], above, notes
    unnamed = [each or f"column {k + 1}" for k, each in enumerate(fields)]
    again = {each for each in unnamed if unnamed.count(each) > 1}
    names = [f"{each} ({k + 1})" if each in again else each for k, each in enumerate(unnamed)]
    return delimiter, names, above + 1, notes


DELIMITER_NAMES = {"\t": "tabs", ";": "semicolons", "|": "bars", "::": "double colons", ",": ""}


def _binary(path):
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else path.open("rb")


def _text(path, encoding):
    # A byte that is no letter is shown as its number: two of them stay two labels.
    return io.TextIOWrapper(_binary(path), encoding, errors="backslashreplace", newline="")


class _Replaced:
    """A text whose delimiter of two letters is replaced by one that no file holds."""

    def __init__(self, text, delimiter):
        self.text, self.delimiter, self.rest = text, delimiter, ""

    def read(self, size=-1):
        block = self.rest + self.text.read(size)
        # Its half may stand at the end.
        self.rest = block[-1:] if size > 0 and block.endswith(self.delimiter[0]) else ""
        block = block[: len(block) - len(self.rest)] if self.rest else block
        if self.rest and not block:
            self.rest, block = "", self.delimiter[0]
        return block.replace(self.delimiter, "\x1f")

    def __iter__(self) -> Iterator[str]:
        return (line.replace(self.delimiter, "\x1f") for line in self.text)


def _bar(share):
    filled = int(12 * min(1.0, share))
    return f"[{'#' * filled}{'.' * (12 - filled)}]"
