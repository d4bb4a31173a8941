"""A node and the command line, as processes."""

import glob
import json
import os
import signal
import subprocess
import tempfile
import time

READY = "vicketd ready actors="
START_S, ANSWER_S = 60, 60  # a busy machine may take long, but nothing here waits without end


class Ended(Exception):
    """The node ended while something was asked of it."""


def eventually(what, seconds, pause=0.05):
    """The first true answer of what(), or the last one when the time is over."""
    end = time.monotonic() + seconds
    while True:
        answer = what()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(pause)


def _work_of(process):
    """(nanoseconds of all threads, whether all of them sleep) of a process; None when it is gone."""
    total, asleep = 0, True
    try:
        for task in os.listdir(f"/proc/{process.pid}/task"):
            folder = f"/proc/{process.pid}/task/{task}"
            with open(folder + "/schedstat") as file:
                total += int(file.read().split()[0])
            with open(folder + "/stat") as file:
                asleep = asleep and file.read().rsplit(")", 1)[1].split()[0] == "S"
    except OSError:
        return None
    return total, asleep


def await_quiet(*processes, seconds=30):
    """Until all that they were asked has reached whom it is for: no thread of theirs runs or wants to. Or one ended."""
    quiet_looks = 0
    before = [_work_of(one) for one in processes]
    end = time.monotonic() + seconds
    while quiet_looks < 5:
        if time.monotonic() > end:
            raise RuntimeError("the processes do not come to rest")
        time.sleep(0.05)
        now = [_work_of(one) for one in processes]
        if any(one.poll() is not None for one in processes):
            return
        calm = all(a and b and b[1] and b[0] - a[0] < 1_000_000 for a, b in zip(before, now))
        quiet_looks = quiet_looks + 1 if calm else 0
        before = now


class Node:
    def __init__(self, place, data, faults=None, flags=()):
        self._vicket = os.path.join(place.programs, "vicket")
        self._log = tempfile.TemporaryFile("w+", dir=place.folder)
        self._faults = faults
        command = [os.path.join(place.programs, "vicketd"), "--data-dir", data, "--listen", "127.0.0.1:0",
                   "--allow-http", "--allow-cidr", "127.0.0.0/8", *flags]
        if place.identity:
            command += ["--ca-file", place.identity[0]]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log,
                                        text=True, env=_environment(faults.environment() if faults else {}))
        place.started.append(self)
        line = self.process.stdout.readline()  # ends with the node, at the latest
        if not line.startswith(READY):
            self.process.wait()
            raise Ended(f"the node does not start, exit code {self.process.returncode}: {self.last_line()}")
        self.address = line[len(READY):].split()[0]
        if faults:
            faults.check()

    # -- its life ---------------------------------------------------------------------------------------------

    def log(self):
        self._log.seek(0)
        return self._log.read()

    def last_line(self):
        lines = self.log().strip().splitlines()
        return lines[-1] if lines else "(no log)"

    def ended(self):
        return self.process.poll() is not None

    def exit_code(self, seconds):
        """None: it still runs."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.exit_code(ANSWER_S)
        if code != 0:
            raise Ended(f"SIGTERM: exit code {code}: {self.last_line()}")

    def busy_seconds(self):
        """(on a processor, waiting for one): of all threads, since they began. What never rests does one or the other,
        however busy the machine is."""
        used = waited = 0
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            with open(path) as file:
                fields = file.read().split()
            used, waited = used + int(fields[0]), waited + int(fields[1])
        return used / 1e9, waited / 1e9

    # -- the command line -------------------------------------------------------------------------------------

    def begin(self, *arguments, lines=None):
        """A command that is not waited for. What it says goes into a file, so that it never waits for a reader."""
        stdin = subprocess.DEVNULL
        if lines is not None:
            stdin = tempfile.TemporaryFile("w+")
            stdin.write("".join(line + "\n" for line in lines))
            stdin.seek(0)
        said = tempfile.TemporaryFile("w+")
        command = subprocess.Popen([self._vicket, "--node", self.address, "--json", *arguments], stdin=stdin,
                                   stdout=said, stderr=subprocess.DEVNULL, env=_environment({}))
        command.said = said
        return command

    def result(self, command, seconds=ANSWER_S):
        """(exit code, lines of JSON); without an answer in time: (None, [])."""
        try:
            command.wait(seconds)
        except subprocess.TimeoutExpired:
            command.kill()
            command.wait()
            return None, []
        command.said.seek(0)
        return command.returncode, [json.loads(line) for line in command.said]

    def ask(self, *arguments, lines=None, seconds=ANSWER_S):
        return self.result(self.begin(*arguments, lines=lines), seconds)

    def put(self, connector):
        code, answer = self.try_put(connector)
        if code != 0:
            raise RuntimeError(f"put of {connector['id']}: {answer}; {self.last_line()}")

    def try_put(self, connector, seconds=ANSWER_S):
        return self.ask("connector", "put", "-", lines=[json.dumps(connector)], seconds=seconds)

    def send(self, events, seconds=ANSWER_S):
        """Their results, in order."""
        _, answer = self.ask("send", "-", lines=map(json.dumps, events), seconds=seconds)
        return answer

    def send_all(self, events):
        """Their ids; all have to be accepted."""
        results = self.send(events)
        if len(results) != len(events) or any("id" not in one for one in results):
            wrong = next((one for one in results if "id" not in one), "no answer")
            raise RuntimeError(f"an event was not accepted: {wrong}; {self.last_line()}")
        return [one["id"] for one in results]

    def history(self, event_id):
        """One for each connector that the id was sent to; empty: not found."""
        code, answer = self.ask("event", event_id)
        return answer if code == 0 else []

    def pending(self, connector):
        while True:
            _, answer = self.ask("status")
            if not any(one.get("counting") for page in answer for one in page.get("partitions", [])):
                break
            time.sleep(0.05)  # after a start not all of it is counted yet, and nothing may look like it
        return sum(one.get("pending", 0) for one in _connectors_in(answer) if one.get("id") == connector)

    def outcomes(self, cursor=None):
        return self.ask("outcomes", *(["--from", cursor] if cursor else []))[1]


def _connectors_in(status):
    return [one for page in status for one in page.get("connectors", [])]


def _environment(more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VICKET_")}
    return {**kept, **more}


def log_files(data):
    """RocksDB's write-ahead logs of all partitions, oldest first; not that of the settings."""
    logs = sorted(glob.glob(os.path.join(data, "**", "*.log"), recursive=True))
    return [log for log in logs if os.path.basename(os.path.dirname(log)) != "settings"]
