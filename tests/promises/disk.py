"""Small file systems in memory, with mounts that nobody else sees."""

import ctypes
import os
import tempfile

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 2, 4, 0x4000, 1 << 18
MNT_DETACH = 2

libc = ctypes.CDLL(None, use_errno=True)
_refused = "separate_mounts() was not called"


def _call(function, *arguments):
    if function(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{function.__name__}: {os.strerror(error)}")


def _mount(what, where, kind, flags, options):
    _call(libc.mount, what, where.encode(), kind, ctypes.c_ulong(flags), options)


def separate_mounts():
    """Gives this process, and those that it starts, mounts of their own. Not root: becomes root of a user namespace,
    which only a process with one thread can. To be called first."""
    global _refused
    try:
        if os.geteuid() == 0:
            _call(libc.unshare, CLONE_NEWNS)
        else:
            user, group = os.getuid(), os.getgid()
            _call(libc.unshare, CLONE_NEWUSER | CLONE_NEWNS)
            for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
                with open(f"/proc/self/{name}", "w") as file:
                    file.write(text)
        _mount(b"none", "/", None, MS_REC | MS_PRIVATE, None)
        _refused = None
    except OSError as why:
        _refused = str(why)


def refused():
    """Why there are no mounts for us, or None."""
    return _refused


class SmallDisk:
    """A file system with a size of its own, and with a ballast file that takes its space away."""

    def __init__(self, total_bytes):
        self.path = tempfile.mkdtemp(prefix="vicket-disk-")
        self._ballast = os.path.join(self.path, "ballast")
        try:
            _mount(b"tmpfs", self.path, b"tmpfs", MS_NOSUID | MS_NODEV, f"size={total_bytes}".encode())
        except OSError:
            os.rmdir(self.path)
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        libc.umount2(self.path.encode(), MNT_DETACH)
        os.rmdir(self.path)

    def free_bytes(self):
        space = os.statvfs(self.path)
        return space.f_bavail * space.f_frsize

    def fill(self, left_bytes):
        """Makes the ballast so large that about `left_bytes` remain free; 0: not one byte."""
        file = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.lseek(file, 0, os.SEEK_END)
            if left_bytes > 0:
                if self.free_bytes() > left_bytes:
                    os.posix_fallocate(file, size, self.free_bytes() - left_bytes)
                return
            for piece in (b"b" * 65536, b"b"):
                try:
                    while True:
                        os.write(file, piece)
                except OSError:
                    pass
        finally:
            os.close(file)

    def free(self, byte_count=None):
        """Gives back as much of the ballast; None: all."""
        if byte_count is None:
            os.remove(self._ballast)
        else:
            os.truncate(self._ballast, max(os.path.getsize(self._ballast) - byte_count, 0))
