"""The audit of a log: what it reads, what it finds where something was planted, what it writes."""

import gzip
import io
import json
import sys
import types
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from recsys_lab import Chain, Interactions, audit, load_movielens, load_shop
from recsys_lab.auditing import command, contest, findings, reading
from recsys_lab.auditing.findings import DAY, Study
from recsys_lab.auditing.reading import EventLog, read_log
from recsys_lab.auditing.report import Audit

START = 1_500_000_000  # July 2017


def simulated(users=120, items=40, events=20, seed=0, walk=False):
    """A table of people who take items by chance or, as a walk, each item's next one."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        begin = rng.integers(items)
        walked = (begin + np.arange(events)) % items
        taken = walked if walk else rng.permutation(items)[:events]
        time = START + rng.integers(300 * DAY) + np.cumsum(rng.integers(20, 5000, events))
        rows += [(f"u{user}", f"i{item}", when) for item, when in zip(taken, time, strict=True)]
    return pd.DataFrame(rows, columns=["user", "item", "time"])


def studied(table, **columns):
    return Study(read_log(table, **columns))


# --- Reading ------------------------------------------------------------------------------------

DIRTY = """user,item,rating,time
1,a,5,2020-01-01
2,b,x,2020-01-02
,c,3,2020-01-02
3,d,4,2020-01-03,9,9

4,,4,2020-01-03
5, e ,4,never
6,f,-1,2020-01-05
7,E,4
8,h,inf,2020-01-01
,,x,
9,e,3,2020-02-01 10:00
"""
REASONS = {
    "a rating that is no number": [2, [3, 11]],
    "no user": [2, [4, 12]],
    "too many fields": [1, [5]],
    "an empty line": [1, [6]],
    "no item": [1, [7]],
    "a time that is no time": [1, [8]],
    "a rating below 0": [1, [9]],
    "no time": [1, [10]],
}


@pytest.mark.parametrize("part", [2, 3, 200_000])
def test_each_row_is_used_or_left_out_with_its_reason_and_line(tmp_path, monkeypatch, part):
    monkeypatch.setattr(reading, "PART", part)
    path = tmp_path / "log.csv"
    path.write_text(DIRTY, encoding="utf-8")
    log = read_log(path)
    assert log.left_out == REASONS
    assert log.rows == 12 == len(log) + sum(number for number, _ in log.left_out.values())
    assert log.user_labels[log.users].tolist() == [1, 9]
    assert log.item_labels[log.items].tolist() == ["a", "e"]
    assert (log.times - log.times[0]).tolist() == [0, 31 * DAY + 10 * 3600]


def test_a_mark_that_is_never_closed_swallows_no_row(tmp_path):
    path = tmp_path / "log.csv"
    for text in ('user,item\n1,"a\n2,b\n3,c\n', 'user,item\n1,"a\n2,b"\n3,c\n'):
        path.write_text(text, encoding="utf-8")
        log = read_log(path)
        assert log.item_labels[log.items].tolist() == ["a", "b", "c"]
        assert any("quotation mark" in note for note in log.notes)


FILES = {
    "semicolons": ("Kunde;Artikel;Bewertung\nMüller;Käse;3,5\nMeier;Öl;4\n".encode("cp1252"), 2),
    "utf-16": ("user\titem\n甲\t书\n乙\t茶\n".encode("utf-16"), 2),
    "a mark of order": ("user,item\n甲,书\n".encode("utf-8-sig"), 1),
    "double colons": (b"1::1193::5::978300760\n1::661::3::978302109\n", 2),
    "no header": (b"196\t242\t3\t881250949\n186\t302\t3\t891717742\n", 2),
    "packed": (gzip.compress(b"user,item\n1,a\n2,b\n"), 2),
    "Chinese names": ("用户,商品,时间\n甲,书,2020-01-01\n乙,茶,2020/01/02\n".encode(), 2),
    "Windows": (b"user,item\r\n1,a\r\n2,b\r\n", 2),
    "utf-32": ("user,item\n甲,书\n".encode("utf-32"), 1),
    "an empty line above": (b"\nuser,item\nann,tea\nbob,jam\n", 2),
    "Excel's first line": (b"sep=;\nuser;item;rating\n1;2;3\n1;3;4\n", 2),
    "a name with colons": (b"1,std::vector,5\n2,map,4\n3,std::map,5\n", 3),
    "milliseconds": (b"visitorid,itemid,timestamp\n1,2,1433221332117\n3,4,1433224214164\n", 2),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_read_as_it_comes(kind, tmp_path):
    content, rows = FILES[kind]
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    log = read_log(path)
    assert len(log) == log.rows == rows
    if log.times is not None:
        assert log.dated and (log.times > 8e8).all() and (log.times < 2e9).all()
    if kind in ("utf-16", "utf-32", "Chinese names", "a mark of order"):
        assert log.user_labels[0] == "甲" and log.item_labels[0] == "书"
    if kind == "semicolons":
        assert log.values.tolist() == [3.5, 4] and log.user_labels[0] == "Müller"
    if kind in ("an empty line above", "Excel's first line"):
        assert log.columns["user"] == "user" and not log.left_out


def test_a_text_of_several_lines_and_a_mark_that_closes_too_late_are_told(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text('user,item,text\n1,a,"good"\n2,b,so\n3,c,"x\n4,d,y\n5,e,z"', "utf-8")
    log = read_log(path)
    assert len(log) == 3 and "2 line breaks stand between quotation marks" in log.notes[0]
    path.write_text("user,item,text\n1,a,good\n2,b,so", "utf-8")
    assert read_log(path).notes == []


@pytest.mark.parametrize("harm", [lambda b: b[: len(b) // 2], lambda b: b[:60] + b"xyz" + b[63:]])
def test_a_packed_file_that_is_damaged_is_told_in_a_sentence(harm, tmp_path):
    path, rng = tmp_path / "log.csv.gz", np.random.default_rng(0)
    text = "user,item\n" + "".join(f"{a},{b}\n" for a, b in rng.integers(9999, size=(500, 2)))
    path.write_bytes(harm(gzip.compress(text.encode())))
    with pytest.raises(ValueError, match="cut short or damaged"):
        read_log(path)


def test_bytes_that_are_no_letters_keep_labels_apart(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b"user,item\n1,\x81\n2,\x8d\n3,\x8f\n")
    assert len(read_log(path).item_labels) == 3
    path.write_bytes(b"user,item\n1,caf\xe9")  # the file ends in the middle of a letter of UTF-8
    log = read_log(path)
    assert log.item_labels.tolist() == ["café"] and "Windows-1252" in log.notes[0]


def test_whole_numbers_of_any_type_stay_the_labels_that_they_are():
    nan, far = float("nan"), 2**63 + 5
    for users, labels in (
        ([1.0, 2.0, nan], [1, 2]),
        ([1.5, 2.5, nan], [1.5, 2.5]),
        ([1e20, 2e20, nan], [1e20, 2e20]),
        (pd.array([2**60, 2**60 + 1, None], dtype="Int64"), [2**60, 2**60 + 1]),
        (np.array([far, far + 1, far], dtype=np.uint64), [str(far), str(far + 1)]),
    ):
        log = read_log(pd.DataFrame({"user": users, "item": [1, 2, 3]}))
        assert log.user_labels.tolist() == labels
        assert len(log) + log.left_out.get("no user", [0])[0] == 3


def test_rows_of_one_index_and_columns_of_one_name_are_no_trouble():
    table = pd.DataFrame({"user": [1, 2], "item": [3, 4], "time": ["2020-01-01", "Jan 5 2020"]})
    assert len(read_log(pd.concat([table, table]))) == 4
    with pytest.raises(ValueError, match="user cannot be guessed"):
        read_log(pd.DataFrame([[1, 2, 3]], columns=["user", "user", "item"]))


def test_a_value_that_is_too_large_is_left_out():
    log = read_log(pd.DataFrame({"user": [1, 2], "item": [3, 4], "rating": [5, 1e200]}))
    assert len(log) == 1 and log.left_out == {"a rating above 1e+150": [1, [1]]}


@pytest.mark.parametrize(
    ("written", "values", "said"),
    [
        (["1,234", "12,500", "900"], [1234, 12500, 900], "parts thousands"),
        (["1,234", "0,5", "900"], [1.234, 0.5, 900], "is the decimal mark"),
    ],
)
def test_what_a_comma_means_is_found_out_and_said(written, values, said):
    log = read_log(pd.DataFrame({"user": [1, 2, 3], "item": [1, 2, 3], "amount": written}))
    assert log.values.tolist() == values and f"The comma in amount {said}" in log.notes[0]


def test_where_semicolons_part_the_fields_a_comma_is_the_decimal_mark(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user;item;amount\n1;2;1,234\n3;4;2,500\n", "utf-8")
    assert read_log(path).values.tolist() == [1.234, 2.5]


def test_parts_give_the_same_log_as_the_whole(tmp_path, monkeypatch):
    table, path = simulated(30), tmp_path / "log.csv"
    table.to_csv(path, index=False)
    whole = read_log(path)
    monkeypatch.setattr(reading, "PART", 7)
    parts = read_log(path)
    for name in ("users", "items", "times", "user_labels", "item_labels"):
        assert (getattr(whole, name) == getattr(parts, name)).all()
    assert whole.user_labels[whole.users].tolist() == table["user"].tolist()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty file"),
        ("user,item\n", "no rows"),
        ("user\n1\n", "one column only"),
        ("foo,bar,baz\nx,y,z\n", "cannot be guessed"),
        ("user,item\n,a\n", "no row that can be used: no user"),
        ("PK\x03\x04", "no CSV"),
        ('{"user":1,"item":2}\n{"user":1,"item":3}\n', "JSON"),
        ('[\n{"user":1,"item":2}]\n', "JSON"),
    ],
)
def test_a_file_that_is_no_log_is_refused_in_a_sentence(text, said, tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=said):
        read_log(path)


def test_dates_tell_which_order_they_are_read_in():
    table = pd.DataFrame({"user": [1, 2], "item": [3, 4], "day": ["13.04.2020", "02.05.2020"]})
    log = read_log(table)
    assert findings.day(log.times[1]) == "2020-05-02" and "day before month" in log.notes[0]
    unclear = read_log(table.assign(day=["03/04/2020", "02/05/2020"]))
    assert "nothing in the log confirms" in unclear.notes[0]
    # Dashes, a cell that is no date, and a log whose first rows lie in the first twelve days.
    days = [f"{k // 500 + 1:02}-02-2020" for k in range(13_000)]
    many = pd.DataFrame({"user": range(13_001), "item": 1, "day": ["unknown", *days]})
    log = read_log(many)
    assert findings.day(log.times[600]) == "2020-02-02" and "day before month" in log.notes[0]
    mixed = read_log(table.assign(day=["13.04.2020", "2020-05-02"]))
    assert findings.day(mixed.times[1]) == "2020-05-02"


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1600-01-01"])
def test_a_date_that_stands_for_none_is_a_time_like_any_other(day):
    table = pd.DataFrame({"user": [1, 2], "item": [3, 4], "day": ["2020-01-01 00:00:01", day]})
    log = read_log(table)
    year = int(day[:4])
    assert log.times[0] == 1_577_836_801
    assert log.times[1] == pytest.approx((year - 1970) * 365.2425 * DAY, abs=2 * 366 * DAY)


def test_a_first_part_without_times_leaves_those_of_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "PART", 2)
    path = tmp_path / "log.csv"
    path.write_text(f"user,item,time\n1,1,\n2,2,\n3,3,{START}\n4,4,{START + 9}\n", "utf-8")
    log = read_log(path)
    assert log.times.tolist() == [START, START + 9] and log.left_out == {"no time": [2, [2, 3]]}


def test_labels_that_differ_only_in_form_are_told_and_kept_apart():
    table = pd.DataFrame({"user": ["Ann", "ann", "é", "e\u0301"], "item": [1, 2, 3, 4]})
    log = read_log(table)
    assert len(log.user_labels) == 4 and "2 user labels differ" in log.notes[-1]


def test_parquet_needs_one_more_package_and_is_read_in_batches(tmp_path, monkeypatch):
    path = tmp_path / "log.parquet"
    path.write_bytes(b"PAR1....")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ValueError, match="pip install pyarrow"):
        read_log(path)
    table = simulated(5)
    # Arrow's whole numbers, whose gap would make floats of them, and an index without a name.
    table["number"] = pd.array([None, *range(2**60, 2**60 + len(table) - 1)], dtype="Int64")
    table["__index_level_0__"] = 7

    class File:
        metadata = types.SimpleNamespace(num_rows=len(table))

        def __init__(self, path):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def iter_batches(self, batch_size):
            for first in range(0, len(table), 30):
                part = table[first : first + 30]

                def to_pandas(part=part, types_mapper=lambda kind: None, ignore_metadata=False):
                    part = part.astype({"number": types_mapper("int64") or float})
                    return part if ignore_metadata else part.drop(columns="__index_level_0__")

                yield types.SimpleNamespace(to_pandas=to_pandas)

    kinds = {"int64": lambda: "int64", "uint64": lambda: "uint64"}
    module = types.SimpleNamespace(parquet=types.SimpleNamespace(ParquetFile=File), **kinds)
    monkeypatch.setitem(sys.modules, "pyarrow", module)
    log = read_log(path)
    assert log.user_labels[log.users].tolist() == table["user"].tolist()
    numbers = read_log(path, user="number")
    assert numbers.user_labels.tolist() == table["number"].dropna().tolist()
    assert numbers.left_out == {"no user": [1, [1]]}
    with pytest.raises(ValueError, match="'__index_level_0__' is not a column"):
        read_log(path, user="__index_level_0__")


# --- Findings -----------------------------------------------------------------------------------


def test_regularity_is_the_share_of_the_commonest_pause_above_zero():
    rng = np.random.default_rng(3)
    owners = np.sort(rng.integers(4, size=400))
    gaps = rng.integers(0, 6, size=400).astype(float)
    owners[-10:] = 4  # too few to say anything
    found = findings.regularity(gaps, owners, 6)
    for user in range(4):
        counted = Counter(gaps[(owners == user) & (gaps > 0)].tolist())
        assert found[user] == max(counted.values()) / counted.total()
    assert np.isnan(found[4:]).all()


def test_the_planted_machine_is_found_and_the_busiest_person_is_not():
    people = simulated(items=400)
    busy = simulated(1, items=400, events=350, seed=5).assign(user="busy")
    pauses = np.random.default_rng(6).integers(20_000, 90_000, len(busy))
    busy["time"] = START + np.cumsum(pauses)  # a few a day: this one sleeps
    bot = pd.DataFrame({"user": "bot", "item": [f"i{k}" for k in range(90)]})
    bot["time"] = START + np.cumsum(np.where(np.arange(90) % 4 == 3, 5 + np.arange(90), 7))
    study = studied(pd.concat([people, busy, bot]))
    found = findings.bots(study)
    assert [each["user"] for each in found.numbers["suspects"]][:1] == ["bot"]
    assert found.numbers["machines"] == 1 and "7 s" in found.says and found.tone == "beware"
    assert "busy (350), is none" in found.says
    assert "bot" not in study.small[0].users
    assert findings.bots(studied(people)).numbers["machines"] == 0


def test_daily_times_make_nobody_a_machine():
    table = simulated(40)
    table["time"] = START - START % DAY + DAY * table.groupby("user").cumcount()
    found = findings.bots(studied(table))
    assert found.numbers["machines"] == 0


def test_where_many_are_regular_it_is_the_clock_that_is_coarse():
    table = simulated(40, events=38)
    table["time"] = START + 3600 * table.groupby("user").cumcount() // 2
    assert findings.bots(studied(table)).numbers["machines"] == 0


def test_where_all_are_regular_somebody_is_left():
    table = pd.DataFrame({"user": np.repeat([1, 2], 200), "item": np.tile(np.arange(200), 2)})
    table["time"] = START + 60 * np.arange(400)
    assert "No contest" in audit(table, seconds=0).verdict


@pytest.mark.filterwarnings("error")
def test_a_time_beyond_all_is_told_by_the_clock_alone():
    table = simulated(40).astype({"time": float})
    table.loc[5, "time"] = 1e300
    study = studied(table)
    assert findings.bots(study).numbers["machines"] == 0
    assert findings.clock(study).numbers["in_the_future"] == 1


def test_columns_that_were_given_are_not_called_guessed():
    said = findings.reading(studied(simulated(5).rename(columns={"user": "zz"}), user="zz")).says
    assert "Columns: user = zz, item = item, time = time; guessed" in said
    assert "from names and contents: item, time." in said


def test_copies_are_told_from_the_same_again():
    table = simulated(20)
    again = table.iloc[:3].assign(time=lambda t: t["time"] + 9 * DAY)
    found = findings.copies(studied(pd.concat([table, table.iloc[:5], again])))
    assert found.numbers == {"repeated": 8, "exact_copies": 5}
    assert findings.copies(studied(table)).numbers["repeated"] == 0


def test_a_clock_that_jumps_is_found():
    table = simulated().sort_values("time", ignore_index=True)
    assert findings.clock(studied(table)).tone == "fine"
    back = table.copy()
    back.loc[500:539, "time"] -= 100 * DAY
    found = findings.clock(studied(back))
    assert found.tone == "beware" and found.numbers["falls"] == 1 and "500 rows" in found.says
    reset = table.copy()
    reset.loc[500:539, "time"] = np.arange(40)
    found = findings.clock(studied(reset))
    assert found.numbers["before_1990"] == 40
    far = table.copy()
    far.loc[len(far) - 20 :, "time"] += 900 * DAY
    assert findings.clock(studied(far)).numbers["beyond_a_silence"] == 20


def test_rows_sorted_by_user_are_no_jump():
    table = simulated().sort_values(["user", "time"])
    assert findings.clock(studied(table)).numbers["falls"] == 0


def test_an_order_is_found_where_there_is_one_and_not_in_chance():
    walk = findings.order(studied(simulated(walk=True))).numbers["the last event"]
    chance = findings.order(studied(simulated())).numbers["the last event"]
    assert walk["low"] > 0.3 and chance["low"] < 0 < chance["high"]


def test_all_rows_at_once_score_as_the_chain_does():
    histories = [np.array([0, 1, 2, 1]), np.array([3, 1]), np.array([2])]
    chain = Chain(5, damping=3.0).fit(histories)
    last = np.array([history[-1] for history in histories])
    assert findings.what_followed(chain, last) == pytest.approx(chain.scores(histories))


def test_the_smallest_difference_is_found_four_times_of_five():
    rng = np.random.default_rng(0)
    lead = findings.smallest_difference(0.2, 50)
    drawn = lead + 0.2 * rng.standard_normal((4000, 50))
    found = np.abs(drawn.mean(axis=1)) > 1.96 * 0.2 / np.sqrt(50)
    assert found.mean() == pytest.approx(0.8, abs=0.02)


def test_what_is_cold_after_the_cut_is_counted():
    table = pd.DataFrame({"user": list("aabbcd"), "item": [1, 2, 1, 2, 1, 9]})
    table["time"] = START + DAY * np.array([0, 1, 2, 3, 4, 5])
    found = findings.cold(studied(table))
    assert found.numbers == {"new_items": 0.5, "new_users": 1.0, "strangers": 1.0}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (None, "done or not"),
        ([1] * 60, "done or not"),
        ([1, 2, 3, 4, 5, 5] * 10, "stars"),
        ([0, 1, 1, 1, 1, 1] * 10, "yes and no"),
        ([1, 2, 7, 120, 3, 1] * 10, "amounts"),
    ],
)
def test_an_empty_cell_is_told_by_the_values(values, kind):
    table = simulated(6, events=10)
    if values is not None:
        table["count"] = values
    found = findings.missing(studied(table))
    assert found.numbers["kind"] == kind
    found.picture()


# --- Split and contest --------------------------------------------------------------------------


def planned(table, question=None, features=None, **columns):
    study = studied(table, **columns)
    numbers = findings.people(study).numbers
    study.judged, study.seen = numbers["judged"], numbers["seen"]
    return contest.plan(study, question, features)


def test_the_split_follows_the_question_and_the_people_that_are_left():
    few = simulated(60)
    many = few.assign(time=START + np.random.default_rng(1).integers(300 * DAY, size=len(few)))
    many = pd.concat([many.assign(user=many["user"] + f"-{k}") for k in range(20)])
    assert planned(few).name == "last"
    assert planned(many, "next").name == "one date"
    assert planned(few.drop(columns="time")).name == "random"
    assert "Without times" in planned(few.drop(columns="time"), "next").why
    assert planned(few, "fill").name == "random"
    assert planned(few, "new-user").name == "cold users"
    assert not planned(few, "new-item").possible
    assert planned(few, "new-item", np.eye(40)).possible


def test_the_split_by_date_judges_nobody_without_a_past():
    data = Interactions.from_frame(simulated(), time="time")
    train, test = contest._by_date(data, 0)
    past = np.diff(train.matrix.indptr)
    assert len(test) and (past[test.rows()] > 0).all()
    assert train.times.max() < test.times.min()


def standing(best, base=0.1):
    return pd.DataFrame(
        {
            "ndcg": [0.3, 0.2, base],
            "behind": [0, 0.1, 0.2],
            "behind_low": [0, -0.1, 0.1],
            "behind_high": [0, 0.2, 0.3],
            "may_be_best": best,
        },
        index=["EASE", "PureSVD", "popularity"],
    )


def test_the_verdict_names_who_may_be_the_best():
    said = contest.verdict(standing([True, True, False]), 90)
    both = "Either of these two may be the best, as far as 90 users can tell: EASE, PureSVD."
    assert said.startswith(both)
    assert "Popularity is behind: EASE leads it by 0.200 (0.100 to 0.300)" in said
    said = contest.verdict(standing([True] * 3), 90)
    assert said.startswith("Any of these three may be the best") and "simplest rival" in said
    assert contest.verdict(standing([True, False, False]), 90).startswith("EASE is ahead of all")


def test_equal_worlds_cannot_be_told_apart_and_different_ones_can():
    chance = audit(simulated(), seconds=0.01)
    assert "may be the best" in chance.verdict or "nothing" in chance.verdict.lower()
    walk = audit(simulated(walk=True), seconds=0.01)
    assert walk.standings.index[0] in ("what followed", "item neighbours", "EASE")


def test_a_machine_takes_no_part_and_the_time_is_kept():
    found = audit(simulated(), seconds=0.001)
    assert "Not reached within" in found["contest"].says
    assert audit(simulated(), seconds=0).standings is None


def test_with_fixed_trials_a_contest_repeats():
    table = simulated(60, walk=True)
    one, other = (audit(table, seconds=0.001, trials=2) for _ in range(2))
    assert one["contest"].numbers == other["contest"].numbers
    assert "2 settings" in one["contest"].says and len(one.standings) > 4


def test_a_verdict_that_rests_on_a_broken_clock_says_so():
    table = simulated(60).sort_values("time", ignore_index=True)
    table.loc[500:539, "time"] -= 100 * DAY
    assert audit(table, seconds=0.001).verdict.endswith("the split rests on it: mend it first.")
    assert "clock" not in audit(table, question="fill", seconds=0.001).verdict


def test_new_items_are_told_apart_by_their_features_alone():
    rng = np.random.default_rng(2)
    kinds = rng.integers(4, size=80)
    rows = [
        (u, i) for u in range(100) for i in np.flatnonzero(kinds == u % 4) if rng.random() < 0.6
    ]
    table = pd.DataFrame(rows, columns=["user", "item"])
    features = pd.DataFrame({"kind": [f"k{k}" for k in kinds]}, index=range(80))
    found = audit(table, features, question="new-item", seconds=5)
    assert found.standings.index[-1] == "chance" and not found.standings["may_be_best"].iloc[-1]
    lacking = audit(table, question="new-item", seconds=1)
    assert "pass features" in lacking.verdict


def test_rows_of_an_array_need_the_order_of_interactions():
    table, features = simulated(60), np.eye(40)
    with pytest.raises(ValueError, match="features is an array, and the items of a table"):
        audit(table, features, seconds=0)
    assert audit(Interactions.from_frame(table), features, seconds=0).verdict


# --- Logs of all kinds --------------------------------------------------------------------------

LOGS = {
    "one user": pd.DataFrame({"user": ["a"] * 4, "item": [1, 2, 3, 4], "time": [1, 2, 3, 4]}),
    "one item": pd.DataFrame({"user": [1, 2, 3, 4], "item": ["a"] * 4, "time": [1, 2, 3, 4]}),
    "one event": pd.DataFrame({"user": [1], "item": ["a"], "time": [START]}),
    "one second": pd.DataFrame({"user": [1, 2, 1, 2], "item": [1, 1, 2, 2], "time": [START] * 4}),
    "clicks only": simulated(40).drop(columns="time"),
    "stars": simulated(40).assign(stars=lambda t: 1 + np.arange(len(t)) % 5),
    "steps": simulated(40).assign(time=lambda t: np.arange(len(t))),
    "other letters": simulated(40).assign(
        item=lambda t: "茶" + t["item"], user=lambda t: "я" + t["user"]
    ),
    "all the same": pd.DataFrame({"user": [1] * 50, "item": [2] * 50, "time": [START] * 50}),
}


@pytest.mark.parametrize("kind", [*LOGS, "shop"])
def test_any_log_gets_a_whole_answer(kind, tmp_path):
    source = load_shop()[0] if kind == "shop" else LOGS[kind]
    found = audit(source, seconds=0.01)
    assert found.verdict.endswith(".")
    whole = json.loads(found.to_json(tmp_path / "audit.json"))
    assert whole == json.loads((tmp_path / "audit.json").read_text("utf-8"))
    assert [each["key"] for each in whole["findings"]][:2] == ["reading", "sparse"]
    for each in found.findings:
        assert each.picture is None or each.picture() is not None


def test_movielens_is_told_as_the_lessons_tell_it():
    found = audit(load_movielens()[0], seconds=0)
    assert found["sparse"].numbers["filled"] == pytest.approx(0.0164, abs=1e-4)
    assert found["people"].numbers["judged"]["one date"] == 23
    assert found["people"].numbers["seen"]["one date"] > 0.05
    assert round(found["sittings"].numbers["under_a_minute"], 2) == 0.83
    assert found["order"].numbers["the last event"]["low"] > 0
    assert found["order"].numbers["after a pause of a day"]["low"] < 0
    assert found["bots"].numbers["machines"] == 0 and found["clock"].tone == "fine"


# --- What is written ----------------------------------------------------------------------------


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_the_page_stands_alone_with_a_text_for_each_picture(tmp_path):
    table = simulated(40).drop(columns="time").rename(columns={"item": "<b>"})
    found = audit(table, item="<b>", seconds=0.01)
    assert "<b>" in found["reading"].says
    page = Page(found.to_html(tmp_path / "page.html"))
    assert "<b>" not in (tmp_path / "page.html").read_text("utf-8").replace("<body>", "")
    pictures = [attrs for tag, attrs in page.tags if tag == "img"]
    dark = [attrs["srcset"] for tag, attrs in page.tags if tag == "source"]
    assert len(pictures) == len(dark) == sum(each.picture is not None for each in found.findings)
    for light, other in zip(pictures, dark, strict=True):
        assert len(light["alt"]) > 20 and light["src"] != other
        assert light["src"].startswith("data:image/png") and other.startswith("data:image/png")
    for tag, attrs in page.tags:
        for name in ("src", "href", "srcset"):
            assert attrs.get(name, "#").startswith(("#", "data:")), (tag, attrs)
    ids = {attrs.get("id") for _, attrs in page.tags}
    assert all(attrs["href"][1:] in ids for tag, attrs in page.tags if tag == "a")


def test_the_name_of_a_file_cannot_become_part_of_the_page():
    page = Audit("<u>log</u>.csv", [], "Nothing.").to_html()
    assert "<u>" not in page and page.count("Audit of &lt;u&gt;log&lt;/u&gt;.csv") == 2


def test_a_label_of_half_a_letter_costs_no_page(tmp_path):
    Audit("a log", [], "Of \ud800 nothing.").to_html(tmp_path / "page.html")
    assert "Of \\ud800 nothing." in (tmp_path / "page.html").read_text("utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]


def test_a_page_is_whole_or_not_there(tmp_path):
    found = Audit("a log", [], "Nothing.")
    with pytest.raises(ValueError, match=r"cannot be written"):
        found.to_html(tmp_path / "nowhere" / "page.html")
    assert not list(tmp_path.iterdir())


def test_the_command_writes_the_page_and_says_what_is_wrong(tmp_path, capsys):
    simulated(40).to_csv(tmp_path / "log.csv", index=False)
    features = pd.DataFrame({"item": [f"i{k}" for k in range(40)], "kind": ["a", "b"] * 20})
    features.to_csv(tmp_path / "items.csv", index=False)
    where = ["--from", str(tmp_path)]
    asked = ["--seconds", "0", "--json", "a.json", "--features", "items.csv"]
    assert command.main([*where, "log.csv", *asked]) == 0
    assert "Is there any order?" in capsys.readouterr().out
    assert (tmp_path / "log-audit.html").exists() and (tmp_path / "a.json").exists()
    assert command.main([*where, "log.csv", "--user", "customer"]) == 1
    assert "user='customer' is not a column" in capsys.readouterr().err
    assert command.main([*where, "none.csv"]) == 1
    said = capsys.readouterr().err
    assert f"does not exist: check its spelling and the folder you are in, '{tmp_path}'" in said


def test_the_command_takes_labels_as_they_are_written_and_a_page_for_each_log(tmp_path, capsys):
    labels = [f"{k:03}" for k in range(40)]
    table = simulated(40)
    table["item"] = table["item"].map(lambda item: labels[int(item[1:])])
    for year in (2020, 2021):
        table.to_csv(tmp_path / f"sales.{year}.csv", index=False)
        asked = ["--from", str(tmp_path), f"sales.{year}.csv", "--seconds", "0"]
        rows = pd.DataFrame({"item": labels, "kind": ["a", "b"] * 20})
        rows.to_csv(tmp_path / "items.csv", index=False)
        assert command.main([*asked, "--features", "items.csv"]) == 0
        assert (tmp_path / f"sales.{year}-audit.html").exists()
    pd.concat([rows, rows[:1]]).to_csv(tmp_path / "items.csv", index=False)
    capsys.readouterr()
    assert command.main([*asked, "--features", "items.csv"]) == 1
    assert "features has an item twice" in capsys.readouterr().err
    (tmp_path / "items.csv").write_bytes("item,kind\n1,é\n".encode("latin-1"))
    assert command.main([*asked, "--features", "items.csv"]) == 1
    assert "items.csv' is not utf-8" in capsys.readouterr().err


def test_a_console_that_lacks_a_sign_costs_no_page(tmp_path, monkeypatch):
    simulated(40).to_csv(tmp_path / "log.csv", index=False)
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", narrow)
    assert command.main(["--from", str(tmp_path), "log.csv", "--seconds", "0"]) == 0
    assert (tmp_path / "log-audit.html").exists()


def test_a_large_log_is_thinned_and_says_so(monkeypatch):
    monkeypatch.setattr(findings, "MOST_EVENTS", 1000)
    monkeypatch.setattr(findings, "MOST_ITEMS", 30)
    data, said = studied(simulated()).small
    assert len(data) <= 1000 and len(data.items) == 30
    assert "of 120 users" in said and "30 items" in said


def test_an_account_larger_than_the_sample_leaves_room_for_people(monkeypatch):
    monkeypatch.setattr(findings, "MOST_EVENTS", 100)
    giant = simulated(1, items=300, events=150, seed=4).assign(user="giant")
    for seed in range(5):
        study = Study(read_log(pd.concat([simulated(30), giant])), seed)
        data, said = study.small
        assert len(data.users) == 5 and "giant" not in data.users
        assert "without 1 user of more than 100 events" in said
    data, said = studied(giant).small
    assert data.users.tolist() == ["giant"] and "1 of 1 users" in said


def test_a_row_takes_24_bytes():
    log = read_log(simulated())
    assert isinstance(log, EventLog)
    held = sum(column.nbytes for column in (log.users, log.items, log.times)) / len(log)
    assert held == 16  # and 8 for a value
