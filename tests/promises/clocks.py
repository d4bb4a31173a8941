"""Clocks that were wrong."""

from node import Node, eventually
from promise import Broken, DAY_MS, NEVER_AGAIN_S, connector, events, faults_of, promise
from receiver import Receiver


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
