"""A bot under measurement: a process of its own, with its CPU time and memory as the kernel counts them (proc(5))."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.world import BenchWorld

SLOW_FSYNC = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
static void slow(void) { struct timespec t = {0, 5000000}; nanosleep(&t, 0); }
int fsync(int fd) { static int (*real)(int); if (!real) real = dlsym(RTLD_NEXT, "fsync"); slow(); return real(fd); }
int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    slow();
    return real(fd);
}
"""


def slow_disk(folder: Path) -> Path | None:
    """Compile the shim that adds 5 ms to every fsync; None where there is no C compiler."""
    source, shim = folder / "slow.c", folder / "slow.so"
    source.write_text(SLOW_FSYNC)
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)  # noqa: S603 - our own source
    return shim


@dataclass(frozen=True, slots=True)
class Subject:
    """A running bot, of one process or several."""

    pids: tuple[int, ...]
    seconds_to_connect: float

    def cpu_seconds(self) -> float:
        """Read the CPU time of its processes so far, user and system."""
        return sum(_cpu_seconds(pid) for pid in self.pids)

    def memory_mb(self, *, peak: bool = False) -> float:
        """Read the resident memory of its processes now, or at its highest."""
        return sum(_memory_mb(pid, "VmHWM" if peak else "VmRSS") for pid in self.pids)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


@asynccontextmanager
async def running(
    world: BenchWorld,
    command: list[str],
    *,
    database: Path | str | None = None,
    preload: Path | None = None,
    replicas: int = 1,
) -> AsyncIterator[Subject]:
    """Start a bot in the world and stop it again; without a database it gets an empty one."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PATH": os.environ["PATH"],
            "SLACK_BOT_TOKEN": "xoxb-bench",
            "SLACK_APP_TOKEN": "xapp-bench",
            "SLACK_API_URL": f"http://{world.url}/api/",
            "OPENAI_API_KEY": "none",
            "OPENAI_BASE_URL": f"http://{world.url}/v1",
            "BOT_APPROVERS": "U0SAM",
            "BOT_LINES_SECONDS": "0",  # a wait for the person, of which there is nothing to measure
            "BOT_RUNS_PER_USER_HOUR": "1000000",
            "BOT_TOKENS_PER_USER_HOUR": "1000000000",
            "BOT_DATABASE": str(database or Path(folder) / "support.db"),
            "BOT_SHOP_DATABASE": str(database if isinstance(database, Path) else Path(folder) / "support.db"),
            **({"LD_PRELOAD": str(preload)} if preload else {}),
        }
        processes = []
        started = time.perf_counter()
        try:
            for _ in range(replicas):
                world.connected.clear()
                process = await asyncio.create_subprocess_exec(
                    sys.executable, *command, env=environment, stdout=asyncio.subprocess.DEVNULL
                )
                processes.append(process)
                await asyncio.wait_for(world.connected.wait(), 30)
            yield Subject(tuple(process.pid for process in processes), time.perf_counter() - started)
        finally:
            for process in processes:
                process.terminate()
                await process.wait()
