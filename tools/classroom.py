"""Try a classroom on JupyterHub: many learners on one machine, and a hub that is killed in class.

    python -m tools.classroom                 1, 5 and 20 learners, as far as the memory allows
    python -m tools.classroom 3 8             these numbers

A hub is started on loopback with a dummy authenticator and local processes: its users are no users
of the system. Each learner opens lesson 06, runs it, moves each slider and answers an exercise,
over the same REST and websocket messages as a browser would. In the middle the hub is killed and
started again. Printed are memory and seconds a learner, and what failed.

JupyterHub and its proxy have to be there: `python3 -m pip install jupyterhub` and
`npm install -g configurable-http-proxy`. Neither is part of the course.
"""

import argparse
import json
import os
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import nbformat
import psutil

from recsys_lab.exercises import get
from tools.notebooks import NOTEBOOKS, ROOT

LESSON = next(NOTEBOOKS.glob("06_*.ipynb")).name
EXERCISE = "shop.top_unseen"
# Of one learner, server and kernel: with more than the free memory holds, the machine would swap.
MIB_EACH = 320
# Seconds for whatever a learner waits for, on a busy machine.
PATIENCE = 600

CONFIG = """
from jupyterhub.spawner import SimpleLocalProcessSpawner

folder = {folder!r}
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = SimpleLocalProcessSpawner
c.SimpleLocalProcessSpawner.home_dir_template = folder + "/home/{{username}}"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = {arguments!r}
c.Spawner.notebook_dir = folder + "/home/{{username}}"
c.Spawner.start_timeout = c.Spawner.http_timeout = {patience}
c.Spawner.environment = {{
    "PYTHONPATH": {root!r},
    "OPENBLAS_NUM_THREADS": "1",
    "JUPYTER_PREFER_ENV_PATH": "1",
    "RECSYS_LAB_PROGRESS": lambda spawner: f"{{folder}}/home/{{spawner.user.name}}/progress.json",
}}
c.JupyterHub.bind_url = "http://127.0.0.1:{proxy}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.auth_token = {token!r}
c.JupyterHub.cleanup_servers = False
c.JupyterHub.concurrent_spawn_limit = 0
c.JupyterHub.db_url = "sqlite:///" + folder + "/hub.sqlite"
c.JupyterHub.cookie_secret_file = folder + "/secret"
c.JupyterHub.services = [{{"name": "teacher", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{
        "name": "teacher",
        "scopes": ["admin:users", "admin:servers", "access:servers"],
        "services": ["teacher"],
    }}
]
"""


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


class Hub:
    """A hub, its proxy, and the learners' servers, in a temporary folder."""

    def __init__(self, folder: Path, proxy_program: str):
        self.folder, self.token = folder, secrets.token_hex(16)
        self.port, hub, api = free_ports(3)
        arguments = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
        text = CONFIG.format(
            folder=str(folder), python=sys.executable, arguments=arguments, patience=PATIENCE,
            root=str(ROOT), proxy=self.port, hub=hub, api=api, token=self.token,
        )  # fmt: skip
        (folder / "config.py").write_text(text, encoding="utf-8")
        proxy = [proxy_program, "--ip", "127.0.0.1", "--port", str(self.port)]
        proxy += ["--api-ip", "127.0.0.1", "--api-port", str(api)]
        proxy += ["--default-target", f"http://127.0.0.1:{hub}"]
        self.hub, self.proxy = None, self._begin(proxy, "proxy", CONFIGPROXY_AUTH_TOKEN=self.token)

    def _begin(self, command: list[str], name: str, **more: str) -> subprocess.Popen:
        with (self.folder / f"{name}.log").open("ab") as log:
            environment = {**os.environ, **more}
            return subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def start(self) -> None:
        command = [sys.executable, "-m", "jupyterhub", "-f", str(self.folder / "config.py")]
        self.hub = self._begin(command, "hub")
        wait_for(lambda: self.ask("GET", "/hub/api/") is not None)

    def kill(self) -> None:
        """End the hub as a power cut would; servers and proxy stay."""
        self.hub.send_signal(signal.SIGKILL)
        self.hub.wait()

    def ask(self, method: str, path: str, body: dict | None = None):
        """Ask the hub, or a learner's server, in its REST API."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else {}

    def servers(self) -> dict[str, psutil.Process]:
        """The process of each learner's server, by the learner's name."""
        found = {}
        for process in psutil.process_iter(["cmdline"]):
            try:
                if "jupyterhub.singleuser" in (process.info["cmdline"] or []):
                    home = Path(process.cwd())
                    if home.is_relative_to(self.folder / "home"):
                        found[home.relative_to(self.folder / "home").parts[0]] = process
            except psutil.Error:
                continue
        return found

    def end(self) -> None:
        family = []
        for process in [self.hub, self.proxy, *self.servers().values()]:
            if process and psutil.pid_exists(process.pid):
                one = psutil.Process(process.pid)
                family += [*one.children(recursive=True), one]
        for process in family:
            if process.is_running():
                process.kill()
        psutil.wait_procs(family, timeout=20)


def wait_for(holds, seconds: float = PATIENCE) -> None:
    """Wait until something answers without an error, and truly."""
    end = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except (OSError, urllib.error.URLError):
            pass
        if time.monotonic() > end:
            raise TimeoutError(f"nothing after {seconds:.0f} s")
        time.sleep(0.3)


class Learner:
    """Somebody who opens lesson 06: a kernel, and the messages that a browser would send."""

    def __init__(self, hub: Hub, name: str):
        self.hub, self.name, self.trouble = hub, name, []
        self.seconds, self.moves = {}, []
        self.home = hub.folder / "home" / name
        (self.home / "notebooks").mkdir(parents=True)
        shutil.copy(NOTEBOOKS / LESSON, self.home / "notebooks")
        (self.home / "data").symlink_to(ROOT / "data")

    def timed(self, what: str, work) -> None:
        begin = time.monotonic()
        try:
            work()
        except Exception as problem:
            self.trouble.append(f"{self.name}, {what}: {type(problem).__name__}: {problem}"[:200])
        self.seconds[what] = time.monotonic() - begin

    def come_in(self) -> None:
        self.timed("server", self._server)

    def _server(self) -> None:
        self.hub.ask("POST", f"/hub/api/users/{self.name}")
        self.hub.ask("POST", f"/hub/api/users/{self.name}/server")
        wait_for(lambda: self.hub.ask("GET", f"/user/{self.name}/api/status"))

    def study(self) -> None:
        if not self.trouble:
            self.timed("open", self._open)
        if not self.trouble:
            self.timed("run", self._run)
        if not self.trouble:
            self.timed("sliders", self._move)

    def _open(self) -> None:
        import websocket

        path = f"notebooks/{LESSON}"
        body = {"path": path, "name": LESSON, "type": "notebook", "kernel": {"name": "python3"}}
        kernel = self.hub.ask("POST", f"/user/{self.name}/api/sessions", body)["kernel"]["id"]
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{self.hub.port}/user/{self.name}/api/kernels/{kernel}/channels",
            header=[f"Authorization: token {self.hub.token}"],
            timeout=PATIENCE,
        )
        self.sliders = {}
        self.execute("1")

    def send(self, kind: str, content: dict) -> list[dict]:
        """Send a message, and return what comes until the kernel is done with it."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": kind, "session": "s", "username": self.name}
        header |= {"version": "5.3", "date": ""}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self.socket.send(json.dumps(message | {"channel": "shell", "buffers": []}))
        came = []
        while True:
            text = self.socket.recv()
            if isinstance(text, bytes):
                continue  # pictures on their way into the page's store
            got = json.loads(text)
            if got["parent_header"].get("msg_id") != number:
                continue
            came.append(got)
            state = got["content"].get("data", {}).get("state", {}) if got["content"] else {}
            if got["msg_type"] == "comm_open" and "Slider" in state.get("_model_name", ""):
                self.sliders[got["content"]["comm_id"]] = state
            if got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
                return came

    def execute(self, source: str) -> list[dict]:
        content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
        came = self.send("execute_request", content | {"user_expressions": {}})
        for message in came:
            if message["msg_type"] == "error":
                said = message["content"]
                raise RuntimeError(f"{said['ename']}: {said['evalue']}")
        return came

    def _run(self) -> None:
        for cell in nbformat.read(NOTEBOOKS / LESSON, as_version=4).cells:
            if cell.cell_type == "code":
                self.execute(cell.source)

    def _move(self) -> None:
        if not self.sliders:
            raise RuntimeError("the lesson has shown no slider")
        for comm, state in self.sliders.items():
            value = state.get("index", state.get("value"))
            name = "index" if "index" in state else "value"
            low, high = state.get("min", 0), state.get("max", value)
            begin = time.monotonic()
            data = {"method": "update", "state": {name: high if value != high else low}}
            self.send("comm_msg", {"comm_id": comm, "data": data | {"buffer_paths": []}})
            self.moves.append(time.monotonic() - begin)

    def answer(self) -> None:
        if not self.trouble:
            self.timed("answer", self._answer)

    def _answer(self) -> None:
        import inspect

        one = get(EXERCISE)
        source = inspect.getsource(one.reference)
        source = source[source.index("def ") :]
        came = self.execute(f'@exercise("{EXERCISE}")\n{source}')
        said = "".join(message["content"].get("data", {}).get("text/plain", "") for message in came)
        if not said.startswith(f"Right: {EXERCISE}"):
            raise RuntimeError(f"the answer was told {said[:80]!r}")

    def memory(self, server: psutil.Process) -> tuple[float, float]:
        """MiB of the server and of its kernels that they share with nobody."""
        kernels = sum(each.memory_full_info().uss for each in server.children(recursive=True))
        return server.memory_full_info().uss / 2**20, kernels / 2**20


def classroom(count: int, proxy_program: str) -> dict:
    """Let so many learners study at once; the hub is killed between running and answering."""
    # Without links, as on macOS: processes are known by the folder that they are in.
    folder = Path(tempfile.mkdtemp(prefix="classroom-")).resolve()
    hub = None
    try:
        hub = Hub(folder, proxy_program)
        hub.start()  # not in __init__: if it does not come up, the proxy has to end all the same
        learners = [Learner(hub, f"learner{number:02}") for number in range(count)]

        def everyone(what):
            with ThreadPoolExecutor(count) as pool:
                list(pool.map(lambda learner: getattr(learner, what)(), learners))

        everyone("come_in")
        everyone("study")
        servers = hub.servers()
        sizes = [each.memory(servers[each.name]) for each in learners if each.name in servers]
        hub.kill()
        everyone("answer")  # without a hub: what runs goes on
        hub.start()
        known = {user["name"]: user["server"] for user in hub.ask("GET", "/hub/api/users")}
        lost = [each.name for each in learners if not known.get(each.name)]
        kept = [each for each in learners if own_progress(each)]
        moves = [one for each in learners for one in each.moves]
        row = {"learners": count}
        for what in ("server", "open", "run", "answer"):
            taken = [each.seconds[what] for each in learners if what in each.seconds]
            row[what] = statistics.median(taken) if taken else float("nan")
        row["move"] = statistics.median(moves) if moves else float("nan")
        for place, what in enumerate(("MiB server", "MiB kernel")):
            row[what] = statistics.median(size[place] for size in sizes) if sizes else float("nan")
        row["kept"] = f"{len(kept)} of {count}"
        row["trouble"] = [one for each in learners for one in each.trouble]
        row["trouble"] += [f"{name}: the new hub does not know the server" for name in lost]
        return row
    finally:
        if hub is not None:
            hub.end()
        shutil.rmtree(folder, ignore_errors=True)


def own_progress(learner: Learner) -> bool:
    """Whether the learner's own file, in their own folder, has the exercise."""
    file = learner.home / "progress.json"
    return file.is_file() and EXERCISE in file.read_text(encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.classroom", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("learners", nargs="*", type=int)
    asked = parser.parse_args(arguments)
    program = shutil.which("configurable-http-proxy")
    if find_spec("jupyterhub") is None or program is None:
        print(
            "A classroom needs JupyterHub and its proxy: `python3 -m pip install jupyterhub` and "
            "`npm install -g configurable-http-proxy`.",
            file=sys.stderr,
        )
        return 1
    print("| learners | server, s | open, s | run, s | a move, s | answer, s | MiB each | kept |")
    print("|---|---|---|---|---|---|---|---|")
    # Numbers that somebody asked for are to be tried; the default goes as far as the memory does.
    failed, given = False, asked.learners
    for count in given or [1, 5, 20]:
        free = psutil.virtual_memory().available / 2**20
        if count < 1 or count * MIB_EACH > free:
            print(f"{count} learners: not tried with {free:.0f} MiB free", file=sys.stderr)
            failed = failed or count in given
            continue
        row = classroom(count, program)
        each = row["MiB server"] + row["MiB kernel"]
        print(
            f"| {count} | {row['server']:.1f} | {row['open']:.1f} | {row['run']:.1f} | "
            f"{row['move']:.2f} | {row['answer']:.1f} | {each:.0f} | {row['kept']} |",
            flush=True,
        )
        for sentence in row["trouble"]:
            failed = True
            print(sentence, file=sys.stderr, flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
