"""A workflow engine in Python. It sends the events that come on standard input, one JSON object a line, prints the node's
feed of outcomes on standard output, one a line, and keeps its place in the feed in a file.

  pip install -r requirements.txt
  VICKET_URL=wss://10.0.0.5:4242/v1/link VICKET_CERT=me.pem VICKET_KEY=me.key VICKET_CA=cluster-ca.pem \\
    python3 engine.py cursor.txt < events.jsonl

On the node's own machine: VICKET_URL=unix:/run/vicket/actors.sock, without certificates.
"""
import asyncio
import itertools
import json
import os
import random
import ssl
import sys
import uuid

import websockets

PASSING = ("overloaded", "storage_full", "unavailable")  # send again a little later; the other refusals are final
CURSOR_FILE = sys.argv[1]


def dial():
    url = os.environ["VICKET_URL"]
    options = {"subprotocols": ["vicket.json.1"], "open_timeout": 5, "max_size": None}
    if url.startswith("unix:"):
        return websockets.unix_connect(url[len("unix:"):], "ws://localhost/v1/link", **options)
    if url.startswith("wss:"):  # read each time, since certificates are renewed
        options["ssl"] = ssl.create_default_context(cafile=os.environ["VICKET_CA"])
        options["ssl"].load_cert_chain(os.environ["VICKET_CERT"], os.environ["VICKET_KEY"])
    return websockets.connect(url, **options)


class Link:
    def __init__(self, socket):
        self.socket = socket
        self.asked = {}  # who waits for an answer, by the number of the request
        self.numbers = itertools.count(1)

    async def ask(self, what):
        number = next(self.numbers)
        answered = self.asked[number] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"request": number, **what}))
        answer = await answered
        if "error" in answer:
            raise ConnectionError(f"{answer['error']}: {answer['detail']}")
        return answer

    async def listen(self):
        async for text in self.socket:
            answer = json.loads(text)
            self.asked.pop(answer["request"]).set_result(answer)
        raise ConnectionError("the node has closed the link")


async def read_events(waiting, arrived):
    while line := await asyncio.to_thread(sys.stdin.readline):
        event = {"id": str(uuid.uuid4()), **json.loads(line)}  # the id makes it safe to send it again
        waiting[event["id"]] = event
        arrived.set()


async def send_all(link, waiting, arrived):
    while True:
        batch = list(waiting.values())[:100]
        if not batch:
            arrived.clear()
            await arrived.wait()
            continue
        results = (await link.ask({"send": batch}))["results"]
        for event, result in zip(batch, results):
            if result.get("error") not in PASSING:
                del waiting[event["id"]]
                print("accepted" if "id" in result else "refused", event["id"], result, file=sys.stderr)
        if any(result.get("error") in PASSING for result in results):
            await asyncio.sleep(0.5)


async def follow(link):
    cursor = open(CURSOR_FILE).read() if os.path.exists(CURSOR_FILE) else None
    while True:
        page = await link.ask({"outcomes": {"from": cursor, "wait_ms": 20_000}})
        for line in page["outcomes"]:  # an engine records them, then moves its cursor
            print(json.dumps(line), flush=True)
        cursor = page["next"]
        with open(CURSOR_FILE + ".new", "w") as file:
            file.write(cursor)
        os.replace(CURSOR_FILE + ".new", CURSOR_FILE)


async def main():
    waiting = {}  # events by id, until the node has said that they are on disk or will never be
    arrived = asyncio.Event()
    reading = asyncio.create_task(read_events(waiting, arrived))
    pause = 0.1
    while True:
        tasks = []
        try:
            async with dial() as socket:
                print("connected", file=sys.stderr, flush=True)
                pause = 0.1
                link = Link(socket)
                jobs = (link.listen(), send_all(link, waiting, arrived), follow(link))
                tasks = [asyncio.create_task(job) for job in jobs]
                await asyncio.gather(reading, *tasks)
        except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as problem:
            print("no node:", problem, file=sys.stderr, flush=True)
        finally:
            for task in tasks:
                task.cancel()
        await asyncio.sleep(pause * random.uniform(0.5, 1))  # so that many engines don't come back at once
        pause = min(2 * pause, 10)


asyncio.run(main())
