"""What the cases have in common: how a promise is written down, judged and asked for.

A case raises Broken with what was seen; what it returns goes into the report.
"""

import uuid

import disk
from faults import Faults
from node import Node, eventually
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
