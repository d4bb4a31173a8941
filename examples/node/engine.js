// A workflow engine in JavaScript. It sends the events that come on standard input, one JSON object a line, prints the
// node's feed of outcomes on standard output, one a line, and keeps its place in the feed in a file.
//
//   npm install
//   VICKET_URL=wss://10.0.0.5:4242/v1/link VICKET_CERT=me.pem VICKET_KEY=me.key VICKET_CA=cluster-ca.pem \
//     node engine.js cursor.txt < events.jsonl
//
// On the node's own machine: VICKET_URL=ws+unix:/run/vicket/actors.sock:/v1/link, without certificates.
"use strict";

const { randomUUID } = require("node:crypto");
const { once } = require("node:events");
const fs = require("node:fs");
const readline = require("node:readline");
const { setTimeout: sleep } = require("node:timers/promises");
const WebSocket = require("ws");

const env = process.env;
const cursorFile = process.argv[2];
const passing = ["overloaded", "storage_full", "unavailable"]; // send again a little later; the other refusals are final
const waiting = new Map(); // events by id, until the node has said that they are on disk or will never be
const lines = readline.createInterface({ input: process.stdin });

lines.on("line", (line) => {
  const event = { id: randomUUID(), ...JSON.parse(line) }; // the id makes it safe to send it again
  waiting.set(event.id, event);
});

async function connect() {
  const file = (name) => env[name] && fs.readFileSync(env[name]); // each time, since certificates are renewed
  const socket = new WebSocket(env.VICKET_URL, "vicket.json.1", {
    cert: file("VICKET_CERT"), key: file("VICKET_KEY"), ca: file("VICKET_CA"), handshakeTimeout: 5_000,
  });
  await once(socket, "open");
  const asked = new Map(); // who waits for an answer, by the number of the request
  const silence = setTimeout(() => socket.terminate(), 60_000); // the node pings who is silent every 20 s
  socket.on("ping", () => silence.refresh());
  socket.on("message", (text) => {
    silence.refresh();
    const answer = JSON.parse(text);
    const { resolve, reject } = asked.get(answer.request);
    asked.delete(answer.request);
    if (answer.error) reject(new Error(`${answer.error}: ${answer.detail}`));
    else resolve(answer);
  });
  socket.on("error", () => {}); // "close" follows
  socket.on("close", (code, why) => {
    clearTimeout(silence);
    for (const { reject } of asked.values()) reject(new Error(`the link is gone (${code}) ${why}`));
  });
  let last = 0;
  const ask = (what) => new Promise((resolve, reject) => {
    if (socket.readyState !== WebSocket.OPEN) return reject(new Error("the link is gone"));
    asked.set(++last, { resolve, reject });
    socket.send(JSON.stringify({ request: last, ...what }));
  });
  return { ask, end: () => socket.terminate() };
}

async function sendAll({ ask }) {
  for (;;) {
    const batch = [...waiting.values()].slice(0, 100);
    if (batch.length === 0) {
      await once(lines, "line");
      continue;
    }
    const { results } = await ask({ send: batch });
    results.forEach(({ error, detail }, i) => {
      if (passing.includes(error)) return;
      waiting.delete(batch[i].id);
      console.error(error ? `refused ${batch[i].id} ${error}: ${detail}` : `accepted ${batch[i].id}`);
    });
    if (results.some(({ error }) => passing.includes(error))) await sleep(500);
  }
}

async function follow({ ask }) {
  let from = fs.existsSync(cursorFile) ? fs.readFileSync(cursorFile, "utf8") : null;
  for (;;) {
    const { outcomes, next } = await ask({ outcomes: { from, wait_ms: 20_000 } });
    for (const line of outcomes) console.log(JSON.stringify(line)); // an engine records them, then moves its cursor
    from = next;
    fs.writeFileSync(`${cursorFile}.new`, from);
    fs.renameSync(`${cursorFile}.new`, cursorFile);
  }
}

async function main() {
  for (let pause = 100; ; pause = Math.min(2 * pause, 10_000)) {
    let link;
    try {
      link = await connect();
      pause = 100;
      console.error("connected");
      await Promise.all([sendAll(link), follow(link)]);
    } catch (problem) {
      console.error(`no node: ${problem.message}`);
    }
    link?.end();
    await sleep(pause * (0.5 + Math.random() / 2)); // so that many engines don't come back at once
  }
}

main();
