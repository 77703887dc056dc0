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
    """A running bot."""

    pid: int
    seconds_to_connect: float

    def cpu_seconds(self) -> float:
        """Read the CPU time of the process so far, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, *, peak: bool = False) -> float:
        """Read the resident memory now, or at its highest."""
        name = "VmHWM" if peak else "VmRSS"
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


@asynccontextmanager
async def running(
    world: BenchWorld, command: list[str], *, database: Path | None = None, preload: Path | None = None
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
            "BOT_RUNS_PER_USER_HOUR": "1000000",
            "BOT_TOKENS_PER_USER_HOUR": "1000000000",
            "BOT_DATABASE": str(database or Path(folder) / "support.db"),
            **({"LD_PRELOAD": str(preload)} if preload else {}),
        }
        world.connected.clear()
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, env=environment, stdout=asyncio.subprocess.DEVNULL
        )
        await asyncio.wait_for(world.connected.wait(), 30)
        try:
            yield Subject(process.pid, time.perf_counter() - started)
        finally:
            process.terminate()
            await process.wait()
