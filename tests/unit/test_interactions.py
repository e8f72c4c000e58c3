import hashlib
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from recsys_lab import Interactions
from recsys_lab.data.interactions import as_count, as_csr, as_matrix, as_share, draw_unseen


@pytest.fixture
def events():
    return pd.DataFrame(
        {
            "user": ["bob", "ann", "ann", "bob"],
            "item": [30, 10, 30, 20],
            "stars": [4, 2.5, 5, 1],
            "when": [7, 5, 3, 6],
        }
    )


def frame(**columns):
    return pd.DataFrame(columns)


# --- encoding ---------------------------------------------------------------------------------


def test_labels_are_sorted_and_values_stand_in_their_cells(events):
    data = Interactions.from_frame(events, value="stars", time="when")
    assert data.users.tolist() == ["ann", "bob"]
    assert data.items.tolist() == [10, 20, 30]
    assert data.matrix.toarray().tolist() == [[2.5, 0, 5], [0, 1, 4]]
    assert data.matrix.format == "csr"
    assert data.matrix.dtype == np.float64
    assert data.matrix.has_sorted_indices
    assert data.shape == (2, 3)
    assert len(data) == 4


def test_times_stand_beside_their_values(events):
    data = Interactions.from_frame(events, value="stars", time="when")
    assert dict(zip(data.matrix.data, data.times, strict=True)) == {2.5: 5, 5: 3, 1: 6, 4: 7}


def test_without_a_value_column_every_event_counts_one(events):
    data = Interactions.from_frame(events)
    assert data.matrix.data.tolist() == [1, 1, 1, 1]
    assert data.times is None


def test_a_rating_of_zero_is_an_event():
    data = Interactions.from_frame(frame(user=[1], item=[1], value=[0]), value="value")
    assert len(data) == 1
    assert as_csr(data, "train").nnz == 1


@pytest.mark.parametrize("form", [np.array, sp.csr_array, sp.coo_matrix, sp.csc_array])
def test_a_zero_in_a_bare_matrix_is_no_event(form):
    R = form(np.array([[1.0, 2.0], [0.0, 3.0]]))
    if sp.issparse(R):
        R.data[R.data == 2] = 0  # stored, and still nothing
    else:
        R[R == 2] = 0
    assert as_csr(R, "R").toarray().tolist() == [[1, 0], [0, 3]]
    assert as_csr(R, "R").nnz == 2
    if sp.issparse(R):
        assert len(R.data) == 3, "the caller's matrix was changed"


def test_entries_given_twice_to_a_sparse_matrix_are_added_without_touching_it():
    R = sp.coo_array(([1.0, 2.0], ([0, 0], [1, 1])), shape=(1, 2)).tocsr()
    twice = sp.csr_array(([1.0, 2.0], [1, 1], [0, 2]), shape=(1, 2))
    assert as_matrix(twice, "R").toarray().tolist() == R.toarray().tolist()
    assert twice.nnz == 2


def test_known_labels_keep_their_order_and_may_have_no_events(events):
    data = Interactions.from_frame(events, users=["eve", "bob", "ann"], items=[30, 20, 10, 40])
    assert data.users.tolist() == ["eve", "bob", "ann"]
    assert data.matrix.toarray().tolist() == [[0, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]]


def test_dates_become_seconds_since_1970():
    when = pd.to_datetime(["1970-01-02", "1970-01-01 00:00:01.5"], format="ISO8601")
    table = frame(user=[1, 1], item=[1, 2], when=when)
    assert Interactions.from_frame(table, time="when").times.tolist() == [86400, 1.5]
    table["when"] = table["when"].dt.tz_localize("Asia/Shanghai")
    assert Interactions.from_frame(table, time="when").times.tolist() == [57600, 1.5 - 28800]


def test_text_labels_are_python_strings():
    data = Interactions(np.eye(2), np.array(["a", "b"]), ["x", "y"])
    assert type(data.users[0]) is str
    assert type(data.items[0]) is str


events_of_any_kind = st.lists(
    st.tuples(
        st.integers(-5, 5),
        st.text(max_size=3).filter(str.strip),  # a blank is no label
        st.floats(0, 1e6),
        st.integers(-(10**9), 10**9),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda event: event[:2],
)


@settings(max_examples=60, deadline=None)
@given(events_of_any_kind)
def test_what_is_read_can_be_listed_again(rows):
    table = pd.DataFrame(rows, columns=["user", "item", "value", "time"])
    data = Interactions.from_frame(table, value="value", time="time")
    listed = list(data.to_frame().itertuples(index=False, name=None))
    assert sorted(listed) == sorted(rows)


def test_the_order_of_the_rows_does_not_matter(events):
    one = Interactions.from_frame(events, value="stars", time="when")
    other = Interactions.from_frame(events[::-1], value="stars", time="when")
    assert (one.matrix != other.matrix).nnz == 0
    assert one.times.tolist() == other.times.tolist()


# --- guarding what was read --------------------------------------------------------------------


def test_what_was_read_cannot_be_changed(events):
    data = Interactions.from_frame(events, value="stars", time="when")
    for array in (data.matrix.data, data.matrix.indices, data.users, data.items, data.times):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    with pytest.raises(AttributeError):
        data.matrix = None
    data.matrix.copy().data[:] = 1  # the way out that the docstring names


def test_later_changes_of_the_input_do_not_reach_the_data():
    R, users = np.eye(2), np.array([1, 2])
    data = Interactions(R, users, ["a", "b"])
    R[0, 0], users[0] = 9, 9
    assert data.matrix[0, 0] == 1
    assert data.users[0] == 1
    matrix, times = sp.csr_array(np.eye(2)), np.array([3, 4])
    data = Interactions(matrix, [1, 2], ["a", "b"], times)
    matrix.data[:], times[:] = 9, 9
    assert data.matrix.data.tolist() == [1, 1]
    assert data.times.tolist() == [3, 4]


def test_a_failed_reading_leaves_the_table_and_earlier_data_untouched(events):
    before = events.copy()
    data = Interactions.from_frame(events, value="stars", time="when")
    matrix = data.matrix.toarray()
    with pytest.raises(ValueError, match="stars"):
        Interactions.from_frame(events.assign(stars=-1), value="stars")
    pd.testing.assert_frame_equal(events, before)
    assert (data.matrix.toarray() == matrix).all()


# --- duplicates --------------------------------------------------------------------------------


@pytest.fixture
def twice():
    return frame(
        user=[2, 1, 1, 1], item=["A", "B", "B", "B"], stars=[3, 1, 5, 3], when=[0, 30, 10, 20]
    )


def test_a_duplicate_event_is_refused_by_name_and_row(twice):
    with pytest.raises(ValueError, match=r"user 1 and item 'B' are in rows 1 and 2.*duplicates="):
        Interactions.from_frame(twice, value="stars")


@pytest.mark.parametrize(
    ("duplicates", "time", "value", "kept_time"),
    [
        ("first", None, 1, None),
        ("last", None, 3, None),
        ("first", "when", 5, 10),
        ("last", "when", 1, 30),
        ("mean", None, 3, None),
        ("mean", "when", 3, 30),
    ],
)
def test_the_reader_chooses_which_duplicate_stays(twice, duplicates, time, value, kept_time):
    data = Interactions.from_frame(twice, value="stars", time=time, duplicates=duplicates)
    assert data.matrix.toarray().tolist() == [[0, value], [3, 0]]
    assert (None if time is None else data.times[0]) == kept_time


def test_duplicates_at_the_same_time_go_by_the_order_of_the_rows():
    table = frame(user=[1, 1], item=[1, 1], stars=[2, 4], when=[5, 5])
    kept = {
        choice: Interactions.from_frame(
            table, value="stars", time="when", duplicates=choice
        ).matrix.data.tolist()
        for choice in ("first", "last")
    }
    assert kept == {"first": [2], "last": [4]}


# --- bad tables --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stars": [1, np.nan, 1, 1]}, r"'stars' has no value \(NaN\) in row 1"),
        ({"stars": [1, 1, -0.5, 1]}, r"'stars' has the negative value -0.5 in row 2"),
        ({"stars": [1, np.inf, 1, 1]}, r"'stars' has the value inf in row 1"),
        ({"stars": [1, -np.inf, 1, 1]}, r"'stars' has the value -inf in row 1"),
        ({"stars": ["4", "five", "3", "2"]}, r"'stars' has the value 'five' in row 1"),
        ({"stars": [1j, 1, 1, 1]}, r"'stars' has the value"),
        ({"user": ["a", None, "b", "c"]}, r"'user' has no label in row 1"),
        ({"item": [1, 2, np.nan, 3]}, r"'item' has no label in row 2"),
        ({"item": [1, "2", 3, 4]}, r"'item' mixes labels of the types int and str"),
        ({"when": [1, 2, 3, np.nan]}, r"'when' has no time \(NaN\) in row 3"),
        ({"when": ["1", "2", "noon", "3"]}, r"'when' has the time 'noon' in row 2"),
        ({"when": [pd.Timestamp(0), pd.NaT, pd.Timestamp(1), pd.Timestamp(2)]}, "'when' has no"),
    ],
)
def test_a_bad_cell_is_named_with_its_column_and_row(events, change, message):
    with pytest.raises(ValueError, match=message):
        Interactions.from_frame(events.assign(**change), value="stars", time="when")


@pytest.mark.parametrize("argument", ["user", "item", "value", "time"])
def test_a_missing_column_is_named_with_the_columns_there_are(events, argument):
    with pytest.raises(ValueError, match=f"{argument}='rating' is not a column.*'stars', 'when'"):
        Interactions.from_frame(events, **{argument: "rating"})


def test_an_unknown_id_is_named(events):
    with pytest.raises(ValueError, match=r"'item' has the unknown id 20 in row 3.*items"):
        Interactions.from_frame(events, items=[10, 30])
    with pytest.raises(ValueError, match=r"'user' has the unknown id 'bob' in row 0.*users"):
        Interactions.from_frame(events, users=["ann"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"df": pd.DataFrame({"user": [], "item": []})}, "empty"),
        ({"df": [[1, 2]]}, "df is a list"),
        ({"duplicates": "sum"}, "duplicates='sum'.*raise, first, last, mean"),
        ({"items": [10, 20, 30, 10]}, "items has the label 10 twice"),
        ({"users": ["ann", None, "bob"]}, "users lacks label 1"),
        ({"users": [["ann", "bob"]]}, "users has shape"),
    ],
)
def test_a_wrong_argument_is_named(events, arguments, message):
    with pytest.raises(ValueError, match=message):
        Interactions.from_frame(**{"df": events, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"matrix": [[1, np.nan], [0, 1]]}, "nan in row 0, column 1"),
        ({"matrix": sp.csr_array([[1, 0], [0, np.inf]])}, "inf in row 1, column 1"),
        ({"matrix": [[1, -2], [0, 1]]}, "negative value -2"),
        ({"matrix": [1, 2]}, "1 dimensions"),
        ({"matrix": [["a", "b"], ["c", "d"]]}, "give numbers"),
        ({"matrix": [[1j, 0], [0, 1]]}, "give real numbers"),
        ({"users": [1]}, "users has shape"),
        ({"items": ["a", "a"]}, "items has the label 'a' twice"),
        ({"times": [1, 2]}, "CSR"),
        ({"matrix": sp.csr_array(np.eye(2)), "times": [1]}, "times has shape"),
        (
            {"matrix": sp.csr_array(([1.0, 1], [1, 0], [0, 2, 2]), shape=(2, 2)), "times": [1, 2]},
            "sort_indices",
        ),
        (
            {"matrix": sp.csr_array(([1.0, 1], [1, 1], [0, 2, 2]), shape=(2, 2)), "times": [1, 2]},
            "duplicates",
        ),
    ],
)
def test_a_matrix_that_cannot_hold_events_is_refused(arguments, message):
    good = {"matrix": np.eye(2), "users": [1, 2], "items": ["a", "b"]}
    Interactions(**good)
    with pytest.raises(ValueError, match=message):
        Interactions(**{**good, **arguments})


# --- files -------------------------------------------------------------------------------------


def test_a_file_is_read_like_a_table(tmp_path, events):
    path = tmp_path / "events.csv"
    events.to_csv(path, index=False)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest().upper()
    data = Interactions.from_csv(path, value="stars", time="when", sha256=checksum)
    assert data.matrix.toarray().tolist() == [[2.5, 0, 5], [0, 1, 4]]
    assert data.times.tolist() == [5, 3, 6, 7]


def test_a_label_may_be_called_NA(tmp_path):
    path = tmp_path / "countries.csv"
    path.write_text("user,item\nNA,null\nnan,None\n", encoding="utf-8")
    assert Interactions.from_csv(path).users.tolist() == ["NA", "nan"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16"])
def test_a_file_in_another_encoding_is_read_when_that_is_named(tmp_path, encoding):
    path = tmp_path / "events.csv"
    path.write_text("user,item\n1,café\n", encoding=encoding)
    assert Interactions.from_csv(path, encoding=encoding).items.tolist() == ["café"]


def test_a_byte_order_mark_does_not_become_part_of_a_column_name(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("user,item\n1,A\n", encoding="utf-8-sig")
    assert Interactions.from_csv(path).users.tolist() == [1]


def test_a_second_column_of_the_name_is_no_value(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("user,item,stars,stars,note,note\n1,A,4,1,x,y\n", encoding="utf-8")
    with pytest.raises(ValueError, match="2 columns of the name 'stars'"):
        Interactions.from_csv(path, value="stars")
    assert len(Interactions.from_csv(path)) == 1


def test_a_file_in_utf_16_is_not_read_as_latin_1(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("user,item\n1,A\n", encoding="utf-16")
    with pytest.raises(ValueError, match='pass encoding="utf-16"'):
        Interactions.from_csv(path, encoding="latin-1")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv.*does not exist.*spelling"):
        Interactions.from_csv(tmp_path / "nowhere.csv")
    with pytest.raises(ValueError, match="is a folder"):
        Interactions.from_csv(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"\xef\xbb\xbf \n\n", "empty file"),
        (b"user,item\n", "header but no rows"),
        (b"user;item\n1;A\n", "user='user' is not a column.*'user;item'"),
        (b"user,item\n1,caf\xe9\n", r"not utf-8 \(byte 16, 0xe9.*encoding="),
        ("user,item\n1,A\n".encode("utf-16"), 'of UTF-16: pass encoding="utf-16"'),
        (b"\x1f\x8b\x08\x00", "no CSV file, its first bytes are gzip's: unpack it"),
        (b"PK\x03\x04", "a zip archive's or a spreadsheet's: unpack it, or save the sheet as CSV"),
        (b"user,item,item\n1,A,B\n", "has 2 columns of the name 'item': rename one"),
        ("user,item\n1,A\n".encode("utf-16-le"), "zero bytes.*utf-16"),
        (b"user,item\n1,A\n2,B,5\n", "malformed.*line 3"),
        (b"user,item\n1,A,5\n2,B,5\n", "malformed"),
        (b'user,item\n1,"A\n2,B\n', "malformed"),
        (b"user,item\n1\n", r"events\.csv: column 'item' has no label in row 0"),
        (b"user,item\n1,A\n1,A\n", "duplicate event: user 1 and item 'A' are in rows 0 and 1;"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_a_remedy(tmp_path, content, message):
    path = tmp_path / "events.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        Interactions.from_csv(path)
    assert "events.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["nan", "many", "-1", "inf", ""])
def test_a_bad_rating_in_a_file_is_refused(tmp_path, value):
    path = tmp_path / "events.csv"
    path.write_text(f"user,item,stars\n1,A,4\n1,B,{value}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"'stars' has .* in row 1"):
        Interactions.from_csv(path, value="stars")


def test_a_wrong_checksum_and_an_unknown_encoding_are_refused(tmp_path):
    path = tmp_path / "events.csv"
    path.write_bytes(b"user,item\n1,A\n")
    with pytest.raises(ValueError, match=r"events\.csv.*sha256 .* where 00 is expected"):
        Interactions.from_csv(path, sha256="00")
    with pytest.raises(ValueError, match="encoding='utf-99' is unknown"):
        Interactions.from_csv(path, encoding="utf-99")


# --- looking things up -------------------------------------------------------------------------


def test_a_label_has_a_position_and_an_unknown_one_is_named(events):
    data = Interactions.from_frame(events)
    assert data.user_position("bob") == 1
    assert data.item_position(20) == 1
    with pytest.raises(ValueError, match="user 'eve' is unknown: choose one of 'ann', 'bob'"):
        data.user_position("eve")
    with pytest.raises(ValueError, match="item '20' is unknown: choose one of 10, 20, 30"):
        data.item_position("20")


def test_keep_keeps_events_with_their_times_and_all_labels(events):
    data = Interactions.from_frame(events, value="stars", time="when")
    good = data.keep(data.matrix.data >= 4)
    assert good.matrix.toarray().tolist() == [[0, 0, 5], [0, 0, 4]]
    assert good.times.tolist() == [3, 7]
    assert good.items.tolist() == data.items.tolist()
    assert len(data) == 4
    none = data.keep(np.zeros(4, dtype=bool))
    assert len(none) == 0
    assert none.shape == data.shape
    with pytest.raises(ValueError, match="one bool for each of the 4 events"):
        data.keep([True])
    with pytest.raises(ValueError, match="int64"):
        data.keep(np.array([0, 1, 1, 0]))


def test_the_summary_says_how_full_the_matrix_is(events):
    text = repr(Interactions.from_frame(events, time="when"))
    assert text == "Interactions: 2 users x 3 items, 4 events (66.7% of cells), with times"
    assert "0 events" in repr(Interactions(np.zeros((1, 3)), ["ann"], [1, 2, 3]))


# --- checks that other modules use -------------------------------------------------------------


@pytest.mark.parametrize("value", [0, -1, 1.0, "2", None, True, np.nan, [1]])
def test_a_count_is_a_whole_number_from_one_on(value):
    with pytest.raises(ValueError, match=r"k=.*(choose 1 or more)"):
        as_count(value, "k")
    assert as_count(np.int32(3), "k") == 3


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.5, np.nan, np.inf, "0.2", None, True, [0.2]])
def test_a_share_lies_strictly_between_zero_and_one(value):
    with pytest.raises(ValueError, match="share="):
        as_share(value)
    assert as_share(np.float32(0.5)) == 0.5


def test_a_drawn_item_is_never_a_taken_one_and_all_others_are_as_likely():
    taken = np.array([0, 1, 3, 5 + 2])  # of five items, user 0 has 0, 1 and 3, user 1 has 2
    users = np.repeat([0, 1, 2], 6000)
    items = draw_unseen(users, taken, 5, np.random.default_rng(0))
    for user, left in [(0, [2, 4]), (1, [0, 1, 3, 4]), (2, range(5))]:
        counts = np.bincount(items[users == user], minlength=5)
        assert np.flatnonzero(counts).tolist() == list(left)
        assert chisquare(counts[counts > 0]).pvalue > 1e-4


def test_where_nothing_is_taken_the_first_draw_counts():
    items = draw_unseen(np.zeros(9, int), np.array([], int), 4, np.random.default_rng(1))
    assert items.tolist() == np.random.default_rng(1).integers(4, size=9).tolist()


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        (["0001047973", "1047973"], ["0001047973", "1047973"]),
        (["1E5", "7"], ["1E5", "7"]),
        (["1.0", "2.0"], ["1.0", "2.0"]),
        (["1234567890123456789012345", "5"], ["1234567890123456789012345", "5"]),
        (["10", "-3", "0"], [-3, 0, 10]),
        (["True", "False"], ["False", "True"]),
    ],
)
def test_the_labels_of_a_file_are_those_that_are_written(tmp_path, written, labels):
    path = tmp_path / "events.csv"
    path.write_text("user,item\n" + "".join(f"u,{each}\n" for each in written))
    assert Interactions.from_csv(path).items.tolist() == labels


def test_labels_of_a_part_of_the_data_are_texts_where_all_the_known_ones_are(tmp_path):
    # 007 makes the items of the whole file texts; this part of it has only items like 12.
    path = tmp_path / "part.csv"
    path.write_text("user,item\n1,12\n2,5\n")
    part = Interactions.from_csv(path, users=[1, 2, 3], items=["007", "12", "5"])
    assert part.matrix.toarray().tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    "columns",
    [
        {"user": "item"},
        {"value": "user"},
        {"value": "when", "time": "when"},
        {"time": "item"},
    ],
)
def test_one_column_is_not_two_things(events, columns):
    with pytest.raises(ValueError, match=r"is also the column .*: name two different ones"):
        Interactions.from_frame(events, **columns)


def test_a_date_is_no_value(events):
    for dates in ("2020-01-01", "2020-01-01 00:00+01:00"):
        with pytest.raises(ValueError, match=r"'day' has the value '2020.* in row 0, a date"):
            Interactions.from_frame(events.assign(day=pd.Timestamp(dates)), value="day")


@pytest.mark.parametrize("label", ["", " ", np.inf, -np.inf], ids=repr)
def test_what_names_nobody_is_no_label(label):
    other = "x" if isinstance(label, str) else 1.0
    table = pd.DataFrame({"user": [other, label], "item": [1, 2]})
    with pytest.raises(ValueError, match=r"'user' has the label .* in row 1: fill it in or drop"):
        Interactions.from_frame(table)


def test_whole_numbers_too_long_for_a_label_are_told():
    table = pd.DataFrame({"user": [1, 2], "item": [10**25, 5]})
    with pytest.raises(ValueError, match=r"more than 18 digits: make it text with .astype\(str\)"):
        Interactions.from_frame(table)


def test_a_month_is_no_value(events):
    months = events.assign(month=pd.period_range("2020-01", periods=len(events), freq="M"))
    with pytest.raises(ValueError, match="'month' has the value '2020-01' in row 0, a date"):
        Interactions.from_frame(months, value="month")


def test_a_checkout_with_windows_line_ends_leaves_the_data_alone():
    # Git's default on Windows turns the line ends of text files: every checksum would fail.
    root = Path(__file__).resolve().parents[2]
    command = ["git", "check-attr", "text", "data/shop/events.csv", "data/shop/README.md"]
    told = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if told.returncode:
        pytest.skip("no git here")
    assert told.stdout.count(": unset") == 2
