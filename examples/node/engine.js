// A workflow engine in JavaScript: sends the events that come on standard input, one JSON object a line, prints the node's
// feed of outcomes on standard output, and keeps its place in the feed in a file. `npm install`, and then
//   VICKET_URL=wss://10.0.0.5:4242/v1/link VICKET_CERT=me.pem VICKET_KEY=me.key VICKET_CA=cluster-ca.pem \
//     node engine.js cursor.txt < events.jsonl
// On the node's own machine: VICKET_URL=ws+unix:/run/vicket/actors.sock:/v1/link, without certificates.
"use strict";
const { randomUUID } = require("node:crypto");
const fs = require("node:fs");
const WebSocket = require("ws");

const { argv: [, , cursorFile], env } = process;
const passes = ({ error }) => ["overloaded", "storage_full", "unavailable"].includes(error); // the other refusals are final
const waiting = new Map(); // events by id, until the node has said that they are on disk or will never be
let socket, batch = [], pauseMs = 100;

function sendBatch() { // one at a time
  if (batch.length > 0 || socket?.readyState !== WebSocket.OPEN) return;
  const [first] = waiting.values();
  if (!first) return;
  const named = "connector" in first; // else rules say where it goes
  batch = [...waiting.values()].filter((event) => ("connector" in event) === named).slice(0, 100);
  socket.send(JSON.stringify({ request: 1, [named ? "send" : "trigger"]: batch }));
}
function follow() {
  const from = fs.existsSync(cursorFile) ? fs.readFileSync(cursorFile, "utf8") : null;
  socket.send(JSON.stringify({ request: 2, outcomes: { from, wait_ms: 20_000 } }));
}
function take({ error, detail, results, outcomes, next }) {
  if (error) return console.error(`${error}: ${detail}`) ?? socket.terminate(); // to begin again after a while
  if (results) {
    results.forEach((result, i) => {
      if (passes(result)) return;
      waiting.delete(batch[i].id);
      console.error(result.error ? "refused" : "accepted", batch[i].id, result.error ?? "", result.detail ?? "");
      for (const made of result.events ?? []) console.error("triggered", JSON.stringify(made)); // a refusal among them is final
    });
    batch = [];
    setTimeout(sendBatch, results.some(passes) ? 500 : 0);
  } else {
    for (const line of outcomes) console.log(JSON.stringify(line)); // an engine records them, then moves its cursor
    fs.writeFileSync(`${cursorFile}.new`, next);
    fs.renameSync(`${cursorFile}.new`, cursorFile);
    follow();
  }
}
function connectAgain(why) {
  console.error(`no node: ${why}`);
  setTimeout(connect, pauseMs * (0.5 + Math.random() / 2)); // so that many engines don't come back at once
  pauseMs = Math.min(2 * pauseMs, 10_000);
}
function connect() {
  const file = (name) => env[name] && fs.readFileSync(env[name]); // each time, since certificates are renewed
  try {
    socket = new WebSocket(env.VICKET_URL, "vicket.json.1", { cert: file("VICKET_CERT"), key: file("VICKET_KEY"),
      ca: file("VICKET_CA"), handshakeTimeout: 5_000 });
  } catch (problem) { return connectAgain(problem.message); }
  const silence = setTimeout(() => socket.terminate(), 60_000); // the node pings who is silent every 20 s
  let failed;
  socket.on("open", () => { console.error("connected"); pauseMs = 100; batch = []; sendBatch(); follow(); });
  socket.on("ping", () => silence.refresh());
  socket.on("message", (text) => { silence.refresh(); take(JSON.parse(text)); });
  socket.on("error", ({ message }) => { failed = message; }); // "close" follows
  socket.on("close", (code, why) => { clearTimeout(silence); connectAgain(failed ?? `link closed (${code}) ${why}`); });
}
connect();
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const event = { id: randomUUID(), ...JSON.parse(line) }; // the id makes it safe to send it again
  waiting.set(event.id, event);
  sendBatch();
});
