"""A workflow engine in Python: sends the events that come on standard input, one JSON object a line, prints the node's feed
of outcomes on standard output, and keeps its place in the feed in a file. `pip install -r requirements.txt`, and then
  VICKET_URL=wss://10.0.0.5:4242/v1/link VICKET_CERT=me.pem VICKET_KEY=me.key VICKET_CA=cluster-ca.pem \\
    python3 engine.py cursor.txt < events.jsonl
On the node's own machine: VICKET_URL=unix:/run/vicket/actors.sock, without certificates."""
import asyncio, json, os, random, ssl, sys, uuid
import websockets

CURSOR_FILE = sys.argv[1]
PASSING = ("overloaded", "storage_full", "unavailable")  # send again a little later; the other refusals are final
arrived = asyncio.Event()
waiting = {}  # events by id, until the node has said that they are on disk or will never be

def dial():
    url, options = os.environ["VICKET_URL"], {"subprotocols": ["vicket.json.1"], "open_timeout": 5, "max_size": None}
    if url.startswith("unix:"):
        return websockets.unix_connect(url[len("unix:"):], "ws://localhost/v1/link", **options)
    if url.startswith("wss:"):  # read each time, since certificates are renewed
        options["ssl"] = ssl.create_default_context(cafile=os.environ["VICKET_CA"])
        options["ssl"].load_cert_chain(os.environ["VICKET_CERT"], os.environ["VICKET_KEY"])
    return websockets.connect(url, **options)

async def read_events():
    while line := await asyncio.to_thread(sys.stdin.readline):
        event = {"id": str(uuid.uuid4()), **json.loads(line)}  # the id makes it safe to send it again
        waiting[event["id"]] = event
        arrived.set()

async def send_batches(socket, answers):  # one at a time
    while True:
        arrived.clear()
        if not waiting:
            await arrived.wait()
        kind = lambda event: "send" if "connector" in event else "trigger"  # of a trigger rules say where it goes
        first = kind(next(iter(waiting.values())))
        batch = [event for event in waiting.values() if kind(event) == first][:100]
        await socket.send(json.dumps({"request": 1, first: batch}))
        results = await answers.get()
        for event, result in zip(batch, results):
            if result.get("error") not in PASSING:
                del waiting[event["id"]]
                print("refused" if "error" in result else "accepted", event["id"], result, file=sys.stderr)
        await asyncio.sleep(0.5 if any(result.get("error") in PASSING for result in results) else 0)

async def follow(socket, answers):
    cursor = open(CURSOR_FILE).read() if os.path.exists(CURSOR_FILE) else None
    while True:
        await socket.send(json.dumps({"request": 2, "outcomes": {"from": cursor, "wait_ms": 20_000}}))
        while "outcomes" not in (answer := json.loads(await socket.recv())):
            if "error" in answer:
                raise ConnectionError(f"{answer['error']}: {answer['detail']}")
            answers.put_nowait(answer["results"])
        for line in answer["outcomes"]:  # an engine records them, then moves its cursor
            print(json.dumps(line), flush=True)
        cursor = answer["next"]
        with open(CURSOR_FILE + ".new", "w") as file:
            file.write(cursor)
        os.replace(CURSOR_FILE + ".new", CURSOR_FILE)

async def main():
    pause, reading = 0.1, asyncio.create_task(read_events())
    while True:
        tasks, answers = [], asyncio.Queue()
        try:
            async with dial() as socket:
                print("connected", file=sys.stderr, flush=True)
                pause = 0.1
                tasks = [asyncio.create_task(job(socket, answers)) for job in (send_batches, follow)]
                await asyncio.gather(reading, *tasks)
        except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as problem:
            print("no node:", problem, file=sys.stderr, flush=True)
        finally:
            for task in tasks:
                task.cancel()
        await asyncio.sleep(pause * random.uniform(0.5, 1))  # so that many engines don't come back at once
        pause = min(2 * pause, 10)

asyncio.run(main())
