"""What is accepted, refused or a duplicate, when a commit is cut short."""

import errno
import json
import os

from faults import ALWAYS
from node import Ended, Node, await_quiet, eventually, log_files
from promise import (Broken, NEVER_AGAIN_S, await_delivered, await_taken, connector, events, faults_of, held_back,
                     promise, restarted_when_ended)
from receiver import Receiver

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
            came = "came after a restart" if one["id"] in endpoint.ids("crm") else "never came, nor after a restart"
            raise Broken(f"answered {first}, then {second}, and {came}; it is "
                         f"{[h['state'] for h in node.history(one['id'])]}, and {node.pending('crm')} are pending")
        if code != 70 and any("id" not in result for result in first):
            raise Broken(f"a failed sync was survived: {first}, exit code {code}")
        return f"exit code {code}: {place.started[0].last_line()}"


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
