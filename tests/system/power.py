"""A disk that a power cut takes the unflushed part of: what tests/support/power_cut.cpp has written down becomes the data directory."""

import os
import random
import shutil
from pathlib import Path

from spool import BIN

SHIM = str(BIN / "libpower_cut.so")
PAGE = 4096
# Never flushed, and worth nothing after a start: the index of the WAL, and space that nobody reads.
WORTHLESS = ("-shm", ".reserve")


class Disk:
    """`folder`: the data directory. `lies`: files with this ending are not flushed although it is said that they are."""

    def __init__(self, folder, disk, lies=""):
        self.folder, self.disk = Path(folder), Path(disk)
        self.folder.mkdir(exist_ok=True)
        self.lies = lies

    def environment(self):
        return dict(os.environ, LD_PRELOAD=SHIM, TRIBUTARY_POWER_DIR=str(self.folder), TRIBUTARY_POWER_DISK=str(self.disk),
                    TRIBUTARY_POWER_LIES=self.lies)

    def power_on(self):
        """Everything that is there is on the disk."""
        shutil.rmtree(self.disk, ignore_errors=True)
        self.disk.mkdir()
        names = []
        for path in self._worthy():
            names.append(f"{path.stat().st_ino} {path.name}\n")
            shutil.copyfile(path, self.disk / str(path.stat().st_ino))
        (self.disk / "names").write_text("".join(names))

    def cut(self, mixed):
        """After the process was killed: leaves what was flushed; with `mixed` besides, of what was not, any part."""
        written = {path.stat().st_ino: path for path in self._worthy()}
        left = {}
        for line in (self.disk / "names").read_text().splitlines():
            inode, name = line.split(" ", 1)
            if name.endswith(WORTHLESS):
                continue
            kept = self.disk / inode
            flushed = kept.read_bytes() if kept.exists() else b""
            left[name] = flushed
            if mixed and int(inode) in written:
                left[name] = mixture(flushed, written[int(inode)].read_bytes())
        for path in self._files():
            path.unlink()
        for name, content in left.items():
            (self.folder / name).write_bytes(content)

    def _files(self):
        return [path for path in self.folder.iterdir() if path.is_file()]

    def _worthy(self):
        return [path for path in self._files() if not path.name.endswith(WORTHLESS)]


def mixture(flushed, written):
    """Each page as it was flushed or as it was written last; the length of one of both."""
    length = len(random.choice((flushed, written)))
    pages = []
    for at in range(0, length, PAGE):
        before, after = flushed[at:at + PAGE], written[at:at + PAGE]
        page = after if random.random() < 0.5 else before
        pages.append(page.ljust(min(PAGE, length - at), b"\0")[:length - at])
    return b"".join(pages)
