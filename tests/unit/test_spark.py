"""Spark for lesson 18: what it says where it is not, and how it runs and ends where it is."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import types
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import psutil
import pytest

from recsys_lab.course.java import NoJava
from recsys_lab.models import spark
from tests.spark import with_spark

ROOT = Path(__file__).resolve().parents[2]


def test_without_spark_one_sentence_says_the_command(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(spark, "version", missing)
    assert spark.has_spark() is False
    with pytest.raises(spark.NoSpark, match="run `python3 -m recsys_lab add spark`") as raised:
        spark.start_spark()
    assert str(raised.value) == spark.spark_status()


def test_without_java_the_launchers_sentence_is_said(monkeypatch):
    def missing():
        raise NoJava("Spark needs Java 17 or later, and there is none: install it.")

    monkeypatch.setattr(spark, "version", lambda name: "4.3.0")
    monkeypatch.setattr(spark, "find_java", missing)
    with pytest.raises(spark.NoSpark, match="needs Java 17"):
        spark.start_spark()


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("Error: Could not reserve enough space for 90GB object heap", "smaller memory"),
        ("java.net.BindException: Cannot assign requested address", "port"),
        ("java.lang.UnsupportedClassVersionError: x", "JAVA_HOME"),
        ("one\n\nanother trouble", "another trouble\nSpark did not start"),
    ],
)
def test_trouble_at_the_start_is_told(said, part, monkeypatch):
    monkeypatch.setattr(spark, "version", lambda name: "4.3.0")
    assert part in spark._sentence(said, 1024)


def test_folders_of_kernels_that_are_gone_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    dead, alive = (tmp_path / f"{spark.FOLDER}{number}-x" for number in (done.pid, os.getpid()))
    for folder in (dead, alive, tmp_path / f"{spark.FOLDER}else"):
        folder.mkdir()
    spark._sweep()
    assert not dead.exists()
    assert alive.exists() and (tmp_path / f"{spark.FOLDER}else").exists()


SCRIPT = """
import sys, time
from recsys_lab.models.spark import shuffled, start_spark, stop_spark
for cores in (1, 2):
    spark = start_spark(cores)
    assert start_spark() is spark
    pairs = spark.range(0, 1000, 1, 3).selectExpr("id % 7 as a", "id").groupBy("a").count()
    assert len(pairs.collect()) == 7
    # Another Python may have another version, and none of our packages.
    used = spark.sparkContext.parallelize([0], 1).map(lambda _: sys.executable).collect()
    assert used == [sys.executable], used
    books = shuffled(spark)
    assert any(sent > 0 for *_, sent in books) and all(tasks > 0 for _, _, tasks, _ in books)
    print(spark.sparkContext._gateway.proc.pid, spark.sparkContext._recsys_lab, flush=True)
    sys.stdin.readline()
    if cores == 1:
        stop_spark(spark)
        print("stopped", flush=True)
time.sleep(600)
"""


def gone(process, seconds=60):
    end = time.monotonic() + seconds
    while psutil.pid_exists(process.pid) and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


@with_spark
def test_spark_listens_on_loopback_alone_is_quiet_and_goes_with_its_kernel(tmp_path):
    temporary = {"TMPDIR": str(tmp_path), "SPARK_HOME": "/nowhere", "PYTHONPATH": str(ROOT)}
    kernel = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env={**os.environ, **temporary},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def running():
        line = kernel.stdout.readline()
        assert line, kernel.stderr.read()
        number, folder = line.split()
        java = psutil.Process(int(number))
        open_to = {each.laddr.ip for each in java.net_connections() if each.status == "LISTEN"}
        assert open_to and open_to <= {"127.0.0.1", "::ffff:127.0.0.1"}
        assert Path(folder).parent == tmp_path and Path(folder).exists()
        return java, Path(folder)

    java, folder = running()
    kernel.stdin.write("\n")
    kernel.stdin.flush()
    assert kernel.stdout.readline() == "stopped\n"
    assert gone(java) and not folder.exists()
    java, folder = running()
    kernel.send_signal(signal.SIGKILL)  # no last word: Java sees that nobody is there
    kernel.wait()
    assert gone(java)
    assert kernel.stderr.read() == ""
    # What is left is a file with what it said, until the next start.
    assert {each.name for each in folder.rglob("*") if each.is_file()} <= {"log.txt"}


def test_more_memory_than_there_is_is_one_sentence(monkeypatch):
    monkeypatch.setattr(spark, "has_spark", lambda: True)
    monkeypatch.setattr(spark.machine, "_memory_bytes", lambda: 4 * 2**30)
    with pytest.raises(spark.NoSpark, match="too little memory for Spark's 6144 MiB: close"):
        spark.start_spark(workers=2, memory=2048)
    with pytest.raises(ValueError, match="cores=0 is too small"):
        spark.start_spark(0)
    for workers in (-1, 1.5):
        with pytest.raises(ValueError, match=f"workers={workers}: give 0, for threads"):
            spark.start_spark(workers=workers)


def test_a_session_that_somebody_else_started_is_stopped_too(monkeypatch):
    stopped = []
    monkeypatch.setattr(spark, "_forget", lambda: stopped.append("Java"))
    session = types.SimpleNamespace(
        sparkContext=types.SimpleNamespace(master="local[2]"), stop=lambda: stopped.append("it")
    )
    spark.stop_spark(session)
    assert stopped == ["it", "Java"]
