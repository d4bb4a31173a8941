"""What is forgotten, and what the feed tells."""

import shutil
import time

from node import Node, eventually
from promise import Broken, DAY_MS, HOUR_MS, await_delivered, connector, events, faults_of, promise
from receiver import Receiver


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
            follower.wait()
        used, wanted = ((b - a) / seconds for a, b in zip(before, after))
        seen = f"the node used {used:.2f} of a processor, and waited {wanted:.2f} of the time for one"
        if used + wanted > 0.5:
            raise Broken(f"while the follower waited, {seen}")
        return seen
