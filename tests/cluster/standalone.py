"""A standalone cluster from pip's pyspark, on this machine: one master, workers of one core, ended by process id."""

import json
import os
import socket
import stat
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyspark

HOST = "127.0.0.1"
SPARK_HOME = Path(pyspark.__file__).parent
READY_SECONDS = 120


@dataclass(frozen=True)
class Cluster:
    """A running cluster, and the folder where its processes log."""

    master: str
    logs: Path


@contextmanager
def standalone(folder: Path, n_workers: int = 2) -> Iterator[Cluster]:
    """The cluster while the block runs; its processes get no PYTHONPATH and nothing of ours but Java."""
    port, page = _free_port(), _free_port()
    master = f"spark://{HOST}:{port}"
    processes = []
    try:
        arguments = ["--host", HOST, "--port", str(port), "--webui-port", str(page)]
        processes.append(_start("master.Master", arguments, folder / "master"))
        _wait_for(page, 0, processes, folder)
        for number in range(n_workers):
            mine = folder / f"worker-{number}"
            arguments = ["--host", HOST, "--webui-port", str(_free_port()), "--cores", "1", "--memory", "1g"]
            arguments += ["--work-dir", str(mine / "work"), master]
            processes.append(_start("worker.Worker", arguments, mine))
        _wait_for(page, n_workers, processes, folder)
        yield Cluster(master, folder)
    finally:
        # Workers first: a master that is gone first fills their logs. Executors end with their worker.
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            _ended(process)


def python_without_lifestage(folder: Path) -> Path:
    """A Python with every package of this environment but ours.

    The base interpreter gets the environment's packages as a path entry. Such an entry runs no .pth files, and that is
    how an editable install is found.
    """
    file = folder / "worker-python"
    packages = sysconfig.get_path("purelib")
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    file.write_text(f'#!/bin/sh\nPYTHONPATH="${{PYTHONPATH:+$PYTHONPATH:}}{packages}" exec "{base}" "$@"\n')
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def bare_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a process of the cluster is started with."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME", "LANG") if name in os.environ}
    return {**kept, "SPARK_HOME": str(SPARK_HOME), "SPARK_LOCAL_IP": HOST, **(extra or {})}


def _start(name: str, arguments: list[str], folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True)
    command = [str(SPARK_HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", *arguments]
    # spark-class execs Java, so the process started here is the JVM.
    environment = bare_environment({"SPARK_NO_DAEMONIZE": "1", "SPARK_DAEMON_MEMORY": "512m"})
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT)


def _wait_for(page: int, n_workers: int, processes: list[subprocess.Popen[bytes]], folder: Path) -> None:
    """Until the master's page shows so many workers."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        dead = [process.pid for process in processes if process.poll() is not None]
        assert not dead, f"ended at once, see {folder}/*/log: {dead}"
        try:
            with urllib.request.urlopen(f"http://{HOST}:{page}/json/", timeout=5) as answer:
                if json.load(answer)["aliveworkers"] >= n_workers:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.5)
    raise TimeoutError(f"no {n_workers} workers after {READY_SECONDS} s, see {folder}/*/log")


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])
