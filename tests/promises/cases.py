"""The promises, one function each. Each says Broken with what was seen; what it returns goes into the report."""

import base64
import errno
import json
import os
import re
import shutil
import time
import uuid

import disk
from faults import ALWAYS, OTHER_ACTORS, Faults
from node import Ended, Node, await_quiet, eventually, log_files
from receiver import Receiver

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MIB = 1 << 20
NEVER_AGAIN_S = 8  # what was not delivered until then, with an endpoint that is well and a short backoff, never is

ALL = {}


class Broken(Exception):
    pass


class Skipped(Exception):
    pass


class Case:
    def __init__(self, run, longer):
        self.run, self.longer = run, longer
        self.name = run.__name__.replace("_", "-")
        self.promise = " ".join(run.__doc__.split())


def promise(function=None, *, longer=False):
    if function is None:
        return lambda one: promise(one, longer=longer)
    case = Case(function, longer)
    ALL[case.name] = case
    return function


# -- what they have in common ---------------------------------------------------------------------------------------


def connector(name, endpoint, **more):
    url = f"{endpoint.url}/{name}" if isinstance(endpoint, Receiver) else endpoint
    return {"id": name, "url": url, "retry": {"base_ms": 200, "factor": 1.0, "cap_ms": 200}, **more}


def held_back(name, endpoint):
    """One delivery a day: all events but the first wait, without an attempt."""
    return connector(name, endpoint, rate={"limit": 1, "per_ms": DAY_MS, "burst": 1})


def events(name, count, data_bytes=0, ids=False):
    one = {"connector": name, "event": "ticket.changed", "occurred_at": "2026-05-23T14:21:11.412Z",
           "data": {"text": "x" * data_bytes}}
    return [{**one, "id": str(uuid.uuid4())} if ids else one for _ in range(count)]


def small_disk(total_bytes):
    if disk.refused():
        raise Skipped(f"needs mounts of its own: {disk.refused()}")
    return disk.SmallDisk(total_bytes)


def faults_of(place):
    return Faults(place.library, place.path("faults"))


def await_delivered(node, endpoint, name, ids, seconds=60):
    """All of them came; gives up at once when the node says that nothing is pending, and some did not."""
    def looked_at():
        if all(one in endpoint.ids(name) for one in ids):
            return "all"
        if node.pending(name) == 0 and not all(one in endpoint.ids(name) for one in ids):
            return "no more are pending"
        return None
    how = eventually(looked_at, seconds, 0.2)
    missing = [one for one in ids if one not in endpoint.ids(name)]
    if missing:
        states = {one["state"] for one in node.history(missing[0])} or {"not known"}
        again = node.send([{**events(name, 1)[0], "id": missing[0]}])
        raise Broken(f"{len(missing)} of {len(ids)} accepted events were not delivered ({how or 'in time'}); one is "
                     f"{', '.join(states)}, and answered {again} when sent again")


def await_taken(node, name, seconds=30):
    """The node takes events again."""
    answer = []
    def takes():
        answer[:] = node.send(events(name, 1), 10)
        return bool(answer) and "id" in answer[0]
    if not eventually(takes, seconds, 0.2):
        state = f"ended with {node.exit_code(0)}" if node.ended() else "still refuses"
        raise Broken(f"with room again, the node {state}: {answer}; {node.last_line()}")


def restarted_when_ended(place, node, data, faults):
    return Node(place, data, faults) if node.exit_code(2) is not None else node


def must_run(node, after):
    if node.ended():
        raise Broken(f"{after} the node ended with {node.exit_code(0)}: {node.last_line()}")


# -- 1 --------------------------------------------------------------------------------------------------------------

# Beyond as many log positions behind the head, waiting events get index entries.
UNINDEXED = 65_536


def lost_beside(place, change):
    """200 events wait for their connector's rate. Others come until those 200 are to get index entries in the commit
    that the change joins; the node is killed while the next sync after it waits."""
    data, faults = place.path("data"), faults_of(place)
    with Receiver(place.identity) as endpoint:
        node = Node(place, data, faults)
        for name in ("slow", "bulk"):
            node.put(held_back(name, endpoint))
        node.put(connector("idle", endpoint))
        ids = node.send_all(events("slow", 200))
        before = UNINDEXED - 200 - 300
        node.send_all(events("bulk", before))
        faults.hold_next_syncs()
        first = node.begin("send", "-", lines=[json.dumps(events("bulk", 1)[0])])
        if not eventually(lambda: faults.syncs_waiting, 30):
            raise RuntimeError("no sync was held")
        more = node.begin("send", "-", lines=map(json.dumps, events("bulk", 600)))
        await_quiet(node.process, more)
        changed = change(node, endpoint)
        await_quiet(node.process, changed)
        held = faults.syncs_begun
        faults.hold_from = held + 2  # that of the commit with the 600 goes through, the next does not
        eventually(lambda: faults.syncs_begun == held + 2 or changed.poll() is not None, 30, 0.01)
        await_quiet(node.process)
        node.kill()
        for command in (first, more, changed):
            node.result(command)
        faults.clear()
        node = Node(place, data, faults)
        node.put(connector("slow", endpoint))
        await_delivered(node, endpoint, "slow", ids)


@promise
def put_beside_open_commit(place):
    """What was accepted is delivered, also when the node is killed right after a put."""
    lost_beside(place, lambda node, endpoint: node.begin("connector", "put", "-",
                                                         lines=[json.dumps(connector("other", endpoint))]))


@promise(longer=True)
def delete_beside_open_commit(place):
    """What was accepted is delivered, also when the node is killed right after a delete."""
    lost_beside(place, lambda node, endpoint: node.begin("connector", "delete", "idle"))


# -- 2, 3, EDQUOT ---------------------------------------------------------------------------------------------------


@promise
def duplicate_of_refused(place):
    """An id that is answered as a duplicate was stored: sent twice in a commit that meets a full disk."""
    faults = faults_of(place)
    with Receiver(place.identity) as endpoint:
        node = Node(place, place.path("data"), faults)
        node.put(connector("crm", endpoint))
        faults.append_error, faults.append_failures = errno.ENOSPC, ALWAYS
        one = events("crm", 1, ids=True)[0]
        results = node.send([one, one])
        faults.clear()
        await_taken(node, "crm")
        if any("id" in result for result in results):
            delivered = eventually(lambda: one["id"] in endpoint.ids("crm"), NEVER_AGAIN_S)
            if not delivered:
                raise Broken(f"answered {results}; the node knows {node.history(one['id'])} of it")
        if not results:
            raise RuntimeError("no answer")
        return f"answered {[result.get('error') for result in results]}"


@promise
def full_at_sync(place):
    """What was refused is not stored: fdatasync fails with ENOSPC, the event is sent again."""
    data, faults = place.path("data"), faults_of(place)
    with Receiver(place.identity) as endpoint:
        node = Node(place, data, faults)
        node.put(connector("crm", endpoint))
        faults.sync_error, faults.sync_failures = errno.ENOSPC, 1
        one = events("crm", 1, ids=True)[0]
        first = node.send([one], 10)
        faults.clear()
        code = node.exit_code(5)
        node = restarted_when_ended(place, node, data, faults)
        await_taken(node, "crm")
        second = node.send([one])
        if not eventually(lambda: one["id"] in endpoint.ids("crm"), NEVER_AGAIN_S):
            node.stop()
            node = Node(place, data, faults)
            eventually(lambda: one["id"] in endpoint.ids("crm"), NEVER_AGAIN_S)
            came = "came after a restart" if one["id"] in endpoint.ids("crm") else "never came, not after a restart either"
            raise Broken(f"answered {first}, then {second}, and {came}; it is "
                         f"{[h['state'] for h in node.history(one['id'])]}, and {node.pending('crm')} are pending")
        if code != 70 and any("id" not in result for result in first):
            raise Broken(f"a failed sync was survived: {first}, exit code {code}")
        return f"exit code {code}: {place.started[0].last_line()}"


@promise
def quota(place):
    """A used-up quota is a full disk: refused with storage_full, and taken again without a restart."""
    faults = faults_of(place)
    with Receiver(place.identity) as endpoint:
        node = Node(place, place.path("data"), faults)
        node.put(connector("crm", endpoint))
        faults.append_error, faults.append_failures = errno.EDQUOT, ALWAYS
        results = node.send(events("crm", 1), 10)
        if [result.get("error") for result in results] != ["storage_full"]:
            node.exit_code(5)
            must_run(node, f"answered {results};")
            raise Broken(f"answered {results}")
        faults.clear()
        await_taken(node, "crm")


# -- 4 --------------------------------------------------------------------------------------------------------------


@promise
def compaction_after_full_disk(place):
    """A compaction that met a full disk goes on when there is room: the node goes on taking events."""
    data, faults = place.path("data"), faults_of(place)
    # As many partitions have small memtables; one of them is used.
    node = Node(place, data, faults, ["--partitions", "48"])
    with Receiver(place.identity) as endpoint:
        node.put(held_back("crm", endpoint))
        faults.table_error, faults.table_failures = errno.ENOSPC, ALWAYS
        sent = 0
        while faults.tables_refused == 0 and sent < 100_000:
            node.send(events("crm", 1_000, ids=True))
            sent += 1_000
        if faults.tables_refused == 0:
            raise RuntimeError(f"no compaction in {sent} events")
        faults.clear()
        time.sleep(2)  # it may notice by itself, and it may not
        # All memory for events is full while a flush takes long: the node has to wait for it, no more.
        faults.hold_flushes = 1
        more = node.begin("send", "-", lines=map(json.dumps, events("crm", 20_000, 500, ids=True)))
        eventually(lambda: node.ended() or more.poll() is not None or faults.flushes_waiting, 60)
        if not node.ended():
            await_quiet(node.process, more)
        faults.clear()
        _, results = node.result(more)
        node.exit_code(2)
        must_run(node, "a compaction was refused, there was room again, and")
        wrong = [one for one in results if one.get("error") not in (None, "storage_full")]
        if wrong or not results:
            raise Broken(f"answered {(wrong or ['nothing'])[0]}")
        await_taken(node, "crm")
        return f"{sent} events until a compaction was refused"


# -- 5 --------------------------------------------------------------------------------------------------------------


def await_forgotten(node, faults, ids, step_ms, steps=4):
    """Lets time pass in steps until the last of the ids is not known any more; whether it is."""
    for _ in range(steps):
        faults.let_time_pass(step_ms)
        if eventually(lambda: not node.history(ids[-1]), 3, 0.1):
            return True
    return False


@promise
def pending_pins_nothing(place):
    """What is settled is forgotten after the retention, also when an older event is still pending."""
    data, faults = place.path("data"), faults_of(place)
    with Receiver(place.identity) as well, Receiver(place.identity) as down:
        down.status = 503
        node = Node(place, data, faults, ["--retention", "1h"])
        node.put(connector("down", down, retry={"base_ms": DAY_MS, "cap_ms": DAY_MS}))
        node.put(connector("crm", well))
        waiting = node.send_all(events("down", 1))
        settled = node.send_all(events("crm", 100))
        await_delivered(node, well, "crm", settled)
        eventually(lambda: node.pending("crm") == 0, 10)
        forgotten = await_forgotten(node, faults, settled, 2 * HOUR_MS)
        if not node.history(waiting[0]):
            raise Broken("the pending event is forgotten")
        if not forgotten:
            known = sum(1 for one in settled if node.history(one))
            raise Broken(f"hours after a retention of one, {known} of {len(settled)} settled events are kept beside a "
                         "pending one")


@promise
def control_below_reserve(place):
    """Below the reserve connectors that exist can be put (paused, sent elsewhere) and deleted."""
    with small_disk(128 * MIB) as volume, Receiver(place.identity) as endpoint:
        node = Node(place, os.path.join(volume.path, "data"))
        node.put(connector("crm", endpoint))
        node.put(connector("idle", endpoint))
        volume.fill(8 * MIB)
        full = node.send(events("crm", 1))
        if [one.get("error") for one in full] != ["storage_full"]:
            raise RuntimeError(f"not below the reserve: {full}")
        code, answer = node.try_put(connector("crm", endpoint, enabled=False))
        if code != 0:
            raise Broken(f"put with \"enabled\":false: {answer}")
        code, answer = node.ask("connector", "delete", "idle")
        if code != 0:
            raise Broken(f"delete: {answer}")


# -- 6 --------------------------------------------------------------------------------------------------------------


def attempts_in(lines):
    return [line for line in lines if "attempt" in line]


def gap_in(lines):
    return any(line.get("gap") for line in lines)


@promise
def feed_of_old_events(place):
    """The feed has the new outcomes of events that are older than the retention, or says that there is a gap."""
    data, faults = place.path("data"), faults_of(place)
    with Receiver(place.identity) as endpoint:
        endpoint.status = 503
        node = Node(place, data, faults, ["--retention", "1h"])
        slow = {"base_ms": HOUR_MS, "factor": 1.0, "cap_ms": HOUR_MS}
        node.put(connector("crm", endpoint, retry=slow))
        late = node.send_all(events("crm", 20))
        eventually(lambda: len(endpoint.ids("crm")) == 20, 30)
        eventually(lambda: len(attempts_in(node.outcomes())) >= 20, 30)
        cursor = attempts_in(node.outcomes())[-1]["cursor"]
        faults.let_time_pass(3 * HOUR_MS)
        tries = lambda: min(endpoint.ids("crm")[one] for one in late)
        if not eventually(lambda: tries() >= 2, 30):
            raise RuntimeError("no second attempts")
        endpoint.status = 200
        for _ in range(10):
            faults.let_time_pass(HOUR_MS)
            if eventually(lambda: node.pending("crm") == 0, 10, 0.2):
                break
        else:
            raise RuntimeError("not delivered")
        faults.let_time_pass(HOUR_MS // 5)  # a look at the retention, at which all of this is fresh
        time.sleep(3)
        lines = node.outcomes(cursor)
        delivered = {line["id"] for line in attempts_in(lines) if line["attempt"]["outcome"] == "delivered"}
        if not delivered.issuperset(late) and not gap_in(lines):
            raise Broken(f"minutes after 20 events were delivered the feed tells {len(delivered)} of them, and no gap")


@promise
def feed_of_restored_backup(place):
    """A cursor that is older than a restored backup gets what came since, or is told a gap."""
    data, copy = place.path("data"), place.path("copy")
    with Receiver(place.identity) as endpoint:
        node = Node(place, data)
        node.put(connector("crm", endpoint))
        settle = lambda node, ids: (await_delivered(node, endpoint, "crm", ids),
                                    eventually(lambda: ids[-1] in [x["id"] for x in node.outcomes()], 10))
        settle(node, node.send_all(events("crm", 10)))
        node.stop()
        shutil.copytree(data, copy)
        node = Node(place, data)
        settle(node, node.send_all(events("crm", 50)))
        cursor = attempts_in(node.outcomes())[-1]["cursor"]
        node.stop()
        node = Node(place, copy)
        fresh = node.send_all(events("crm", 20))
        settle(node, fresh)
        lines = node.outcomes(cursor)
        told = {line["id"] for line in attempts_in(lines)}
        if not told.issuperset(fresh) and not gap_in(lines):
            raise Broken(f"20 events were delivered after the backup was put back; from the cursor on the feed tells "
                         f"{len(told)} of them, and no gap")


# -- 7 --------------------------------------------------------------------------------------------------------------


@promise
def waiting_follower(place):
    """A follower of the feed whose attempts retention took costs nothing while it waits."""
    data, faults = place.path("data"), faults_of(place)
    with Receiver(place.identity) as endpoint:
        node = Node(place, data, faults, ["--retention", "1h"])
        node.put(connector("crm", endpoint))
        ids = node.send_all(events("crm", 50))
        await_delivered(node, endpoint, "crm", ids)
        eventually(lambda: node.pending("crm") == 0, 10)
        if not await_forgotten(node, faults, ids, 2 * HOUR_MS):
            raise RuntimeError("not forgotten")
        follower = node.begin("outcomes", "--follow")
        try:
            time.sleep(1)
            before, began = node.busy_seconds(), time.monotonic()
            time.sleep(4)
            after, seconds = node.busy_seconds(), time.monotonic() - began
        finally:
            follower.kill()
            follower.communicate()
        used, wanted = ((b - a) / seconds for a, b in zip(before, after))
        seen = f"the node used {used:.2f} of a processor, and waited {wanted:.2f} of the time for one"
        if used + wanted > 0.5:
            raise Broken(f"while the follower waited, {seen}")
        return seen


# -- 8 --------------------------------------------------------------------------------------------------------------


@promise
def one_id_to_many_connectors(place):
    """The same id for another connector is another event, in whatever partition it is."""
    names = [f"c{number}" for number in range(6)]
    with Receiver(place.identity) as endpoint:
        node = Node(place, place.path("data"), flags=["--partitions", "2"])
        for name in names:
            node.put(connector(name, endpoint))
        same = str(uuid.uuid4())
        results = [node.send([{**events(name, 1)[0], "id": same}])[0] for name in names]
        reached = lambda: [name for name in names if same in endpoint.ids(name)]
        eventually(lambda: len(reached()) == len(names), NEVER_AGAIN_S)
        if len(reached()) < len(names):
            raise Broken(f"one id sent to six connectors reached {len(reached())}; "
                         f"{sum(one.get('duplicate', False) for one in results)} were told duplicate")
        if len(node.history(same)) != len(names):
            raise Broken(f"the id's history has {len(node.history(same))} connectors")


@promise
def known_id_of_disabled(place):
    """A known id is a duplicate, also when its connector has been disabled since."""
    with Receiver(place.identity) as endpoint:
        node = Node(place, place.path("data"))
        node.put(connector("crm", endpoint))
        one = events("crm", 1, ids=True)[0]
        node.send_all([one])
        node.put(connector("crm", endpoint, enabled=False))
        again = node.send([one])
        if again != [{"id": one["id"], "duplicate": True}]:
            raise Broken(f"answered {again}")


# -- 9 --------------------------------------------------------------------------------------------------------------


@promise
def dead_actor(place):
    """A node of which an essential actor died ends with 70 and says why (here: one finds no memory for an event)."""
    data, faults = place.path("data"), faults_of(place)
    with Receiver(place.identity) as endpoint:
        node = Node(place, data, faults)
        node.put(connector("crm", endpoint))
        ids = node.send_all(events("crm", 5))
        faults.throw_in, faults.throw_from_bytes, faults.throw_below_bytes = OTHER_ACTORS, 200_000, 1 << 40
        faults.throws = 1
        answer = node.send(events("crm", 1, 200_000), 5)
        if faults.throws != 0:
            raise RuntimeError("nothing was thrown")
        code = node.exit_code(10)
        if code is None:
            then = node.send(events("crm", 1), 5)
            raise Broken(f"the node goes on: answered {answer or 'nothing'}, then {then or 'nothing'} to another event; "
                         f"its log's last line: {node.last_line()}")
        if code != 70:
            raise Broken(f"exit code {code}: {node.last_line()}")
        said = node.last_line()
        node = Node(place, data, faults)
        await_delivered(node, endpoint, "crm", ids)
        return f"exit code 70: {said}"


# -- 10 -------------------------------------------------------------------------------------------------------------


def promised_repeats(readme, in_flight):
    """How many events of a connector the README lets come again after a crash on a full disk."""
    with open(readme) as file:
        text = " ".join(file.read().split())
    found = re.search(r"full to the last byte, what was answered since then, at most (\d+) events of a connector", text)
    return int(found[1]) if found else in_flight


@promise
def repeats_after_full_disk(place):
    """A crash on a full disk sends again no more than the README says."""
    in_flight = 16
    with small_disk(128 * MIB) as volume, Receiver(place.identity) as endpoint:
        endpoint.status = 503
        data = os.path.join(volume.path, "data")
        node = Node(place, data)
        node.put(connector("crm", endpoint, max_in_flight=in_flight))
        ids = node.send_all(events("crm", 1_000))
        eventually(lambda: len(endpoint.ids("crm")) >= in_flight, 30)
        volume.fill(0)
        node.send(events("crm", 1))  # so that it notices
        volume.fill(0)
        before_crash = endpoint.ids("crm")
        endpoint.status = 200
        eventually(lambda: endpoint.ids("crm") - before_crash, 30)
        counts = endpoint.ids("crm")
        for _ in range(100):  # until no more are delivered
            time.sleep(0.5)
            volume.fill(0)
            if endpoint.ids("crm") == counts:
                break
            counts = endpoint.ids("crm")
        answered = counts - before_crash
        node.kill()
        volume.free()
        node = Node(place, data)
        await_delivered(node, endpoint, "crm", ids)
        eventually(lambda: node.pending("crm") == 0, 30)
        repeats = sum(1 for one in answered if endpoint.ids("crm")[one] > counts[one])
        allowed = promised_repeats(place.readme, in_flight)
        if repeats > allowed:
            raise Broken(f"{repeats} events were sent again that had been answered; the README lets {allowed}")
        return f"{repeats} were sent again, of {allowed}"


# -- what was found by reading --------------------------------------------------------------------------------------


@promise(longer=True)
def one_free_space(place):
    """Partitions that recover from a full disk at once do not use the same room twice: the node goes on."""
    partitions = 8
    with small_disk(256 * MIB) as volume, Receiver(place.identity) as endpoint:
        node = Node(place, os.path.join(volume.path, "data"), flags=["--partitions", str(partitions)])
        names = [f"c{number}" for number in range(4 * partitions)]
        for name in names:
            node.put(held_back(name, endpoint))
        text = base64.b64encode(os.urandom(30_000)).decode()  # a table of it is not much smaller
        for name in names:
            node.send_all([{**one, "data": {"text": text}} for one in events(name, 10)])
        one_each = [events(name, 1)[0] for name in names]
        for _ in range(5):
            volume.fill(0)
            refused = node.send(one_each)
            if not all(one.get("error") == "storage_full" for one in refused):
                raise RuntimeError(f"not full: {refused}")
            for _ in range(8):  # there is room for one, and never for all at once
                volume.free(MIB)
                if node.exit_code(0.6) is not None:
                    must_run(node, f"{volume.free_bytes() // 1024} KiB are free after a full disk:")
            volume.free()
            if not eventually(lambda: node.ended() or all("id" in one for one in node.send(one_each)), 60, 0.2):
                raise Broken(f"with room again, the node still refuses; {node.last_line()}")
            must_run(node, "there is room again after a full disk:")


@promise
def refused_before_composed(place):
    """A node under pressure refuses an event before it works on it (here: before it sees that it is too large)."""
    faults = faults_of(place)
    with Receiver(place.identity) as endpoint:
        node = Node(place, place.path("data"), faults)
        node.put(held_back("crm", endpoint))
        faults.hold_next_syncs()
        first = node.begin("send", "-", lines=[json.dumps(events("crm", 1)[0])])
        if not eventually(lambda: faults.syncs_waiting, 30):
            raise RuntimeError("no sync was held")
        many = node.begin("send", "-", lines=map(json.dumps, events("crm", 300, 250_000)))
        await_quiet(node.process, many)
        answer = node.send(events("crm", 1, 300_000), 30)
        faults.clear()
        for command in (first, many):
            node.result(command)
        if [one.get("error") for one in answer] != ["overloaded"]:
            raise Broken(f"answered {answer}")


@promise
def unsynced_tail(place):
    """A power loss in which the blocks of an unacknowledged commit reached the disk in another order is recovered."""
    data, faults = place.path("data"), faults_of(place)
    page = 4_096
    with Receiver(place.identity) as endpoint:
        node = Node(place, data, faults, ["--partitions", "1"])
        node.put(held_back("crm", endpoint))
        ids = node.send_all(events("crm", 20))
        await_delivered(node, endpoint, "crm", ids[:1])
        await_quiet(node.process)
        faults.hold_next_syncs()
        log = log_files(data)[-1]
        synced = os.path.getsize(log)
        lost = node.begin("send", "-", lines=map(json.dumps, events("crm", 100, 2_000)))
        if not eventually(lambda: faults.syncs_waiting, 30):
            raise RuntimeError("no sync was held")
        node.kill()
        node.result(lost)
        faults.clear()
        if os.path.getsize(log) < synced + 150_000:
            raise RuntimeError("the commit is not in the log")
        with open(log, "r+b") as file:  # one page is still as it was before: empty
            file.seek((synced + 65_536) // page * page)
            file.write(bytes(page))
        try:
            node = Node(place, data, faults)
        except Ended as why:
            raise Broken(str(why)) from None
        node.put(connector("crm", endpoint))
        await_delivered(node, endpoint, "crm", ids)


@promise
def clock_was_ahead(place):
    """What failed while the clock was days ahead is tried again soon after it was set right."""
    data, faults = place.path("data"), faults_of(place)
    with Receiver(place.identity) as endpoint:
        endpoint.status = 503
        faults.wall_ms = 10 * DAY_MS
        node = Node(place, data, faults)
        node.put(connector("crm", endpoint))
        ids = node.send_all(events("crm", 5))
        eventually(lambda: len(endpoint.ids("crm")) == 5, 30)
        node.stop()
        endpoint.status = 200
        faults.wall_ms = 0
        before = endpoint.ids("crm")
        node = Node(place, data, faults)
        if not eventually(lambda: node.pending("crm") == 0, NEVER_AGAIN_S):
            tried = sum((endpoint.ids("crm") - before).values())
            raise Broken(f"{NEVER_AGAIN_S} s after a start with the right clock {tried} of 5 were tried again; next at "
                         f"{node.history(ids[-1])[0]['next_attempt_at']}")


@promise
def clock_was_behind(place):
    """What was accepted while the clock was days behind does not grow old when it is set right."""
    data, faults = place.path("data"), faults_of(place)
    with Receiver(place.identity) as endpoint:
        endpoint.status = 503
        faults.wall_ms = -10 * DAY_MS
        node = Node(place, data, faults)
        node.put(connector("crm", endpoint))
        ids = node.send_all(events("crm", 5))
        eventually(lambda: len(endpoint.ids("crm")) == 5, 30)
        faults.wall_ms = 0
        before = endpoint.ids("crm")
        fewest = lambda: min(endpoint.ids("crm")[one] - before[one] for one in ids)
        eventually(lambda: fewest() >= 2 or node.pending("crm") == 0, 30)
        endpoint.status = 200
        eventually(lambda: node.pending("crm") == 0, 30)
        states = [node.history(one)[0]["state"] for one in ids]
        if states != ["delivered"] * len(ids):
            raise Broken(f"of five that were a few seconds old are now {states}")
