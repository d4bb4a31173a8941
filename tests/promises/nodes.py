"""Ids, and nodes in trouble that no disk makes."""

import json
import uuid

from faults import OTHER_ACTORS
from node import Node, await_quiet, eventually
from promise import Broken, NEVER_AGAIN_S, await_delivered, connector, events, faults_of, held_back, promise
from receiver import Receiver


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


@promise
def dead_actor(place):
    """A node of which an essential actor died ends with 70 and says why (here: one finds no memory for an event)."""
    data, faults = place.path("data"), faults_of(place)
    with Receiver(place.identity) as endpoint:
        node = Node(place, data, faults)
        node.put(connector("crm", endpoint))
        ids = node.send_all(events("crm", 5))
        faults.throw_in, faults.throw_from_bytes, faults.throw_below_bytes = OTHER_ACTORS, 200_000, 1 << 40
        faults.throw_spares = 1  # the link's session, which reads the message, is not essential
        faults.throws = 1
        answer = node.send(events("crm", 1, 200_000), 5)
        if faults.throws != 0:
            raise RuntimeError("nothing was thrown")
        code = node.exit_code(10)
        if code is None:
            then = node.send(events("crm", 1), 5)
            raise Broken(f"the node goes on: answered {answer or 'nothing'}, then {then or 'nothing'} to another; "
                         f"its log ends with: {node.last_line()}")
        if code != 70:
            raise Broken(f"exit code {code}: {node.last_line()}")
        said = node.last_line()
        node = Node(place, data, faults)
        await_delivered(node, endpoint, "crm", ids)
        return f"exit code 70: {said}"


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
