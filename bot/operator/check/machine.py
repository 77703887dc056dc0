"""The machine's side of a check: the database, its disk and the file system that it is on."""

import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from bot.operator.check.finding import Finding, fatal, ok, warning
from bot.shop.sqlite import shop_migrations
from bot.store.errors import DatabaseError
from bot.store.sqlite.database import refuse_newer
from bot.store.sqlite.migrations import bot_migrations
from bot.store.sqlite.transaction import SqliteTransaction

LOCK_TIMEOUT_SECONDS = 3.0
MIN_FREE_BYTES = 500_000_000
MOUNTS = Path("/proc/self/mounts")
# SQLite's locks and its shared memory do not work there: the log would be damaged.
NETWORK_FILE_SYSTEMS = frozenset(
    [
        "nfs",
        "nfs3",
        "nfs4",
        "cifs",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "beegfs",
        "gpfs",
        "davfs",
        "ncpfs",
        "webdav",
        "gfs2",
        "ocfs2",
        "orangefs",
        "pvfs2",
        "coda",
        "fuse.sshfs",
        "fuse.s3fs",
        "fuse.rclone",
        "fuse.glusterfs",
        "fuse.ceph",
        "fuse.davfs2",
        "fuse.juicefs",
        "fuse.gcsfuse",
        "fuse.mount-s3",
        "fuse.blobfuse",
        "fuse.blobfuse2",
        "fuse.goofys",
        "fuse.moosefs",
        "fuse.smbnetfs",
    ]
)
# A folder of a virtual machine's or container's host: what is behind it cannot be seen from here.
SHARED_FILE_SYSTEMS = frozenset(
    {"9p", "virtiofs", "vboxsf", "drvfs", "fuse.grpcfuse", "fuse.osxfs", "fuse.vmhgfs-fuse"}
)


def check_database(path: Path, mounts: str | None = None) -> list[Finding]:
    """Look whether the database can be written, and is on a disk with room; a file that is not there is not made."""
    folder = path.absolute().parent
    if not folder.is_dir():
        return [fatal("database", f"The folder {folder} is not there.", "Create it, or correct BOT_DATABASE.")]
    if path.is_dir():
        return [fatal("database", f"{path} is a folder.", "BOT_DATABASE names the file in it.")]
    findings = [_file_system(path, mounts), _disk(folder)]
    return [_database(path, folder), *filter(None, findings)]


def file_system_of(path: Path, mounts: str) -> str | None:
    """Return the type of the file system that a path is on, by Linux's list of mounts."""
    best, kind = "", None
    target = str(path.resolve())
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:  # noqa: PLR2004 - device, place and type
            continue
        place = fields[1].replace("\\040", " ").rstrip("/")
        inside = target == place or target.startswith(f"{place}/")
        if inside and len(place) >= len(best):
            best, kind = place, fields[2]
    return kind


def _file_system(path: Path, mounts: str | None) -> Finding | None:
    if mounts is None:
        with suppress(OSError):
            mounts = MOUNTS.read_text("utf-8", errors="replace")
    kind = file_system_of(path, mounts) if mounts else None
    if kind in NETWORK_FILE_SYSTEMS:
        return fatal(
            "file system",
            f"{path} is on {kind}, a network file system, where SQLite's locks do not hold and the log gets damaged.",
            "Put BOT_DATABASE on a local disk or a block volume.",
        )
    if kind in SHARED_FILE_SYSTEMS:
        return warning("file system", f"{path} is on {kind}, shared with the host.", "Only one machine may use it.")
    return ok("file system", f"{kind}, not on a network.") if kind else None


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        return warning("disk", f"Only {_size(free)} are free on the disk of {folder}.", "Make room.")
    return ok("disk", f"{_size(free)} free.")


def _database(path: Path, folder: Path) -> Finding:
    if not path.exists():
        probe = folder / f".{path.name}.check"
        try:
            probe.touch(mode=0o600)
            probe.unlink()
        except OSError as error:
            return fatal("database", f"{folder} cannot be written: {error.strerror}.", "Give the bot the right to.")
        return ok("database", f"{path} is not there yet; the first start creates it.")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)) as db:
            db.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT_SECONDS * 1000:.0f}")
            ours = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            log = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'tool_calls'").fetchone()
            db.execute("BEGIN IMMEDIATE")
            try:
                for migrations in (bot_migrations, shop_migrations) if log else ():
                    refuse_newer(path, SqliteTransaction(db, execute_plugins=False), migrations)
            finally:
                db.execute("ROLLBACK")
    except DatabaseError as error:
        return fatal("database", str(error))
    except sqlite3.Error as error:
        return fatal("database", f"{path} cannot be written: {error}.", "Look at its owner, its disk and its lock.")
    if ours and not log:
        return fatal("database", f"{path} is another program's database.", "Correct BOT_DATABASE.")
    return ok("database", f"{path} can be written, {_size(_bytes(path))}.")


def _bytes(path: Path) -> int:
    parts = (path.with_name(path.name + suffix) for suffix in ("", "-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004 - as disks are sold
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
