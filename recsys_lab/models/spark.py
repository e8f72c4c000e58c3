"""Start Apache Spark on this machine for lesson 18: on loopback only, quiet, and gone at the end.

Spark is not installed with the course: `python3 -m recsys_lab add spark` adds it. It is a program
in Java that Python talks to; this module is the only one that imports `pyspark`, at the first use.
"""

import atexit
import os
import re
import shutil
import sys
import tempfile
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from ..course import machine
from ..course.java import NoJava, find_java
from ..data.interactions import as_count, shown

COMMAND = "python3 -m recsys_lab add spark"
# Folders that a killed kernel has left are known by its process number.
FOLDER = "recsys-lab-spark-"

SAYINGS = [
    (
        r"Could not reserve enough space|Cannot allocate memory|insufficient memory",
        "There is too little memory for Spark's {memory} MiB: close other notebooks, or call "
        "start_spark with a smaller memory.",
    ),
    (
        r"BindException|Address already in use",
        "A port that Spark was told to use is taken: remove spark.*.port from spark-defaults.conf, "
        "and Spark takes free ones.",
    ),
    (
        r"UnsupportedClassVersionError",
        "This Java is too old for Spark {spark}: set JAVA_HOME to a newer one.",
    ),
]


class NoSpark(RuntimeError):
    """Spark cannot run here; the message is one sentence that says what to do."""


def spark_status() -> str:
    """Say in one sentence whether Spark can run here, and if not, what to do."""
    try:
        return f"Spark {version('pyspark')} is here, and Java {find_java()[1]}."
    except PackageNotFoundError:
        return f"Spark is not installed: run `{COMMAND}` in the course's folder, once."
    except NoJava as problem:
        return str(problem)


def has_spark() -> bool:
    """Tell whether Spark and a Java for it are here."""
    return "is here, and Java" in spark_status()


def start_spark(cores: int = 2, workers: int = 0, memory: int = 1024):
    """Start Spark on this machine, or return the session that runs already.

    Parameters
    ----------
    cores : int
        Tasks at once, in each worker if there are workers.
    workers : int
        0 runs the tasks in threads of one process, which starts fastest. Any other number starts
        so many processes, as on so many machines: what moves between them goes through sockets.
    memory : int
        MiB for the driver, and for each worker. 1024 is enough for the course's data.

    Returns
    -------
    pyspark.sql.SparkSession
        It listens on 127.0.0.1 alone, shows no page, and writes what it has to say into a file of
        its temporary folder. `stop_spark` ends it; so does the end of the kernel, however it ends.

    Raises
    ------
    NoSpark
        If Spark or Java is missing or too old, or there is too little memory: in one sentence.
    ValueError
        If an argument is no count.
    """
    as_count(cores, "cores")
    if type(workers) is bool or not isinstance(workers, (int, np.integer)) or workers < 0:
        raise ValueError(
            f"workers={shown(workers)}: give 0, for threads of one process, or how many processes"
        )
    as_count(memory, "memory")
    if not has_spark():
        raise NoSpark(spark_status())
    # Java itself would take it on trust, and be ended by the system in the middle of the work.
    have = machine._memory_bytes()
    if have and memory * (workers + 1) > have / 2**20:
        raise NoSpark(SAYINGS[0][1].format(memory=memory * (workers + 1)))
    # What is imported below warns of pandas 3; and without pyarrow each conversion would warn too.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    warnings.filterwarnings("ignore", ".*attempted Arrow optimization", UserWarning)
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    if running := SparkSession.getActiveSession():
        return running
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    log = folder / "log.txt"
    master = f"local-cluster[{workers},{cores},{memory}]" if workers else f"local[{cores}]"
    settings = {
        "spark.master": master,
        "spark.app.name": "recsys-lab",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": f"{memory}m",
        "spark.executor.memory": f"{memory}m",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        # As many as there are cores: the default, 200, is for clusters.
        "spark.sql.shuffle.partitions": str(cores * max(workers, 1)),
        # With it the number of partitions, which the lesson counts, would be changed on the way.
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.execution.arrow.pyspark.enabled": "false",
        # A busy machine may take longer than the default, 15 s, to fetch what `collect` has found.
        "spark.python.authenticate.socketTimeout": "600s",
    }
    # For Java and what it starts: which Java, where its workers listen, and which Python they are.
    # Spark would take the first `python3` of the path, of whatever version.
    here = {
        "JAVA_HOME": str(find_java()[0]),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
    }
    before = {name: os.environ.get(name) for name in here}
    os.environ.update(here)
    # Another folder's settings, such as a cluster's, would come before ours.
    elsewhere = {name: os.environ.pop(name, None) for name in ("SPARK_HOME", "SPARK_CONF_DIR")}
    try:
        conf = SparkConf(loadDefaults=False).setAll(list(settings.items()))
        with log.open("wb") as file:
            gateway = launch_gateway(conf, {"stdout": file, "stderr": file})
        conf = SparkConf(_jvm=gateway.jvm).setAll(list(settings.items()))
        spark = SparkSession(SparkContext(gateway=gateway, conf=conf))
    except Exception as problem:
        said = log.read_text(errors="replace") + str(problem)
        _forget()
        raise NoSpark(_sentence(said, memory)) from None
    finally:
        for name, value in (before | elsewhere).items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    spark.sparkContext.setLogLevel("ERROR")
    spark.sparkContext._recsys_lab = folder
    return spark


def stop_spark(spark) -> None:
    """End a session of `start_spark`: its Java process, and its temporary folder."""
    context = spark.sparkContext
    # A session that somebody else started has no folder of ours.
    folder, work = getattr(context, "_recsys_lab", None), None
    if context.master.startswith("local-cluster"):
        import pyspark

        # Its workers' folders lie beside Spark itself, and nothing removes them.
        work = Path(pyspark.__file__).parent / "work" / context.applicationId
    spark.stop()
    _forget()
    for each in filter(None, (folder, work)):
        shutil.rmtree(each, ignore_errors=True)


def _forget() -> None:
    """End the Java process, which would wait for the next session with this one's memory."""
    from pyspark import SparkContext

    if gateway := SparkContext._gateway:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(timeout=30)
    SparkContext._gateway = SparkContext._jvm = None


def _sweep() -> None:
    """Remove the temporary folders of kernels that are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        owner = re.match(rf"{FOLDER}(\d+)-", folder.name)
        if owner and not _lives(int(owner[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _lives(process: int) -> bool:
    if os.name == "nt":
        return True  # there, asking would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _sentence(said: str, memory: int) -> str:
    for pattern, sentence in SAYINGS:
        if re.search(pattern, said):
            return sentence.format(memory=memory, spark=version("pyspark"))
    lines = [line for line in said.splitlines() if line.strip()]
    return "\n".join(lines[-5:]) + "\nSpark did not start, for the reason above."


def factors_of(model) -> tuple[np.ndarray, np.ndarray]:
    """Take the factors out of a fitted `pyspark.ml.recommendation.ALSModel`.

    Returns
    -------
    U, V : ndarray, float32
        A row for each user or item label from 0 to the largest one; 0 for a label without ratings.
    """
    found = []
    for frame in (model.userFactors, model.itemFactors):
        rows = frame.collect()
        out = np.zeros((max(row.id for row in rows) + 1, model.rank), np.float32)
        for row in rows:
            out[row.id] = row.features
        found.append(out)
    return found[0], found[1]


def shuffled(spark) -> list[tuple[int, str, int, int]]:
    """Read from Spark's own books what each stage has sent.

    Returns
    -------
    list of (stage, its name, tasks, bytes written for a shuffle), by stage; skipped ones left out
    """
    java = spark.sparkContext._jsc.sc()
    java.listenerBus().waitUntilEmpty()
    books = java.statusStore()
    # Of what Scala fills in by itself, Python has to ask for the values.
    rest = [getattr(books, f"stageList$default${place}")() for place in (2, 3, 4, 5)]
    stages = books.stageList(spark.sparkContext._jvm.java.util.ArrayList(), *rest)
    found = []
    for at in range(stages.size()):
        stage = stages.apply(at)
        if stage.status().toString() == "COMPLETE":
            sent = stage.shuffleWriteBytes()
            found.append((stage.stageId(), stage.name(), stage.numTasks(), sent))
    return sorted(found)
