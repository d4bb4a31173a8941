"""Disks without room."""

import base64
import errno
import json
import os
import re
import time

from faults import ALWAYS
from node import Node, await_quiet, eventually, log_files
from promise import (Broken, MIB, await_delivered, await_taken, connector, events, faults_of, held_back, must_run,
                     promise, small_disk)
from receiver import Receiver


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


@promise(longer=True)
def compaction_after_full_disk(place):
    """A compaction that met a full disk goes on when there is room: the node goes on taking events."""
    faults = faults_of(place)
    # As many partitions have small memtables, and need no more files than most systems let a process open; one of them is
    # used. In memory they are opened sooner.
    with small_disk(512 * MIB) as volume, Receiver(place.identity) as endpoint:
        node = Node(place, os.path.join(volume.path, "data"), faults, ["--partitions", "24"])
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


def one_connector_for_each_partition(node, endpoint, data, partitions):
    """Their names. Which partition a connector is in can be seen from whose log grows."""
    sizes = lambda: [sum(map(os.path.getsize, log_files(os.path.join(data, f"partition-{number}"))))
                     for number in range(partitions)]
    names = {}
    for number in range(100):
        before = sizes()
        node.put(connector(f"c{number}", endpoint))
        grown = [at for at, (was, now) in enumerate(zip(before, sizes())) if now > was]
        if len(grown) == 1:
            names.setdefault(grown[0], f"c{number}")
        if len(names) == partitions:
            return list(names.values())
    raise RuntimeError(f"no names for all partitions: {names}")


@promise
def one_free_space(place):
    """Partitions that recover from a full disk at once do not use the same room twice: the node goes on."""
    partitions, faults, log_bytes = 3, faults_of(place), 3 * MIB
    with small_disk(256 * MIB) as volume, Receiver(place.identity) as endpoint:
        endpoint.status = 503
        data = os.path.join(volume.path, "data")
        node = Node(place, data, faults, ["--partitions", str(partitions)])
        names = one_connector_for_each_partition(node, endpoint, data, partitions)
        text = base64.b64encode(os.urandom(30_000)).decode()  # a table of it is not much smaller
        for name in names:
            node.send_all([{**one, "data": {"text": text}} for one in events(name, log_bytes // len(text))])
        volume.fill(0)
        # Attempts go on, and are to be recorded. (The disk is kept full: what could not be written is given back.)
        if not eventually(lambda: volume.fill(0) or node.log().count("no space left") >= partitions, 30, 0.2):
            raise RuntimeError("not all partitions met the full disk")
        faults.table_delay_ms = 700  # whoever looks for room finds it before another one has taken it
        volume.free(max(map(os.path.getsize, log_files(data))) + 3 * MIB // 2)  # for one
        eventually(lambda: node.ended() or "room again" in node.log(), 20, 0.2)
        node.exit_code(2)
        must_run(node, f"room for one of {partitions} partitions that met a full disk, and")
        volume.free()
        faults.clear()
        for name in names:
            await_taken(node, name)
