"""The numbers that a node shares with a test, and the library that looks at them: see faults.cpp."""

import mmap
import struct

# In the order of faults.cpp.
NUMBERS = """words
syncs_begun hold_from syncs_waiting sync_error sync_failures append_error append_failures
table_error table_failures tables_refused table_delay_ms hold_flushes flushes_waiting wall_ms steady_ms
throw_from_bytes throw_below_bytes throw_in throws throw_spares""".split()
ACTORS_WITH_A_THREAD, OTHER_ACTORS = 1, 2  # for throw_in
ALWAYS = -1


class Faults:
    """faults.sync_failures = 1, faults.syncs_begun: as in the page. Nodes that begin later find what is set."""

    def __init__(self, library, path):
        with open(path, "w+b") as file:
            file.truncate(8 * len(NUMBERS))
            page = mmap.mmap(file.fileno(), 8 * len(NUMBERS))
        self.__dict__.update(library=library, path=path, page=page)

    def __getattr__(self, name):
        return struct.unpack_from("q", self.page, 8 * NUMBERS.index(name))[0]

    def __setattr__(self, name, value):
        struct.pack_into("q", self.page, 8 * NUMBERS.index(name), value)

    def environment(self):
        return {"LD_PRELOAD": self.library, "PROMISE_FAULTS": self.path}

    def check(self):
        """The node has the library, and the same list."""
        if self.words != len(NUMBERS) - 1:
            raise RuntimeError(f"{self.library}: not preloaded, or faults.py has another list than faults.cpp")

    def hold_next_syncs(self, after=0):
        """Syncs of logs wait, but for the next `after`."""
        self.hold_from = self.syncs_begun + 1 + after

    def let_syncs_go(self):
        self.hold_from = 0

    def let_time_pass(self, milliseconds):
        self.wall_ms += milliseconds
        self.steady_ms += milliseconds

    def clear(self):
        for name in ("hold_from", "sync_failures", "append_failures", "table_failures", "table_delay_ms",
                     "hold_flushes", "throws"):
            setattr(self, name, 0)
