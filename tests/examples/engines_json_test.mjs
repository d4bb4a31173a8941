// The engines in other languages, run as a stranger would against a real node: they send, lose the node without a word or
// the link in order, and print every outcome exactly as the feed has it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startReceiver } from "./receiver.mjs";
import {
  Program, buildDir, makeAuthority, makeCertificate, run, sourceDir, startNode, vicket, wholeFile, withScratch,
} from "./support.mjs";

const file = wholeFile(after);
// Debian's packages, where a Node from elsewhere looks only if it is told to.
const env = { ...process.env, NODE_PATH: "/usr/share/nodejs" };
const engines = {
  JavaScript: { program: process.execPath, script: join(sourceDir, "examples", "node", "engine.js"),
    unix: (path) => `ws+unix:${path}:/v1/link` },
  Python: { program: "/usr/bin/python3", script: join(sourceDir, "examples", "python", "engine.py"),
    unix: (path) => `unix:${path}` },
};
let scratch;
let endpoint;

before(async () => {
  for (const [program, args, packageName] of [[process.execPath, ["-e", "require('ws')"], "node-ws"],
    ["/usr/bin/python3", ["-c", "import websockets"], "python3-websockets"]]) {
    const result = await run(program, args, { env }).catch((problem) => ({ code: problem.message }));
    if (result.code !== 0)
      throw new Error(`the example engines need Debian's package ${packageName}, which make setup installs: ` +
        `${program} ended with ${result.code}\n${result.stderr}`);
  }
  scratch = await withScratch(file);
  endpoint = await makeCertificate(scratch, "endpoint");
});

/// A node with a TLS port and a Unix socket, and a connector `crm` whose endpoint fails each event once.
async function startWorld(t, name) {
  const folder = join(scratch, name);
  const authority = await makeAuthority(scratch, name);
  const socket = join(scratch, `${name}.sock`);
  const tls = ["--tls-cert", authority.cert, "--tls-key", authority.key, "--tls-ca", authority.ca];
  const flags = ["--ca-file", endpoint.cert, ...tls, "--listen", `unix:${socket}`];
  const world = { authority, socket, node: await startNode(t, folder, flags) };
  world.vicket = (args, options) => vicket(world.node, [...tls, ...args], options);
  world.startAgain = async () => {
    const address = world.node.address;
    world.node = new Program(t, join(buildDir, "vicketd"),
      ["--data-dir", folder, "--listen", address, "--allow-cidr", "127.0.0.0/8", ...flags]);
    world.node.address = address;
    await world.node.line(/^vicketd ready/);
  };
  const seen = new Set();
  const receiver = await startReceiver(t, endpoint, ({ headers }) => {
    const id = headers["webhook-id"];
    return seen.has(id) || !seen.add(id) ? 204 : 500;
  });
  await world.vicket(["connector", "put", "-"], { input: JSON.stringify({ id: "crm", url: receiver.url,
    events: ["ticket.*"], retry: { base_ms: 100, factor: 1, cap_ms: 100 } }) });
  return world;
}

function startEngine(t, { program, script }, cursorFile, url, authority) {
  const certificates = authority
    ? { VICKET_CERT: authority.cert, VICKET_KEY: authority.key, VICKET_CA: authority.ca } : {};
  const engine = new Program(t, program, [script, cursorFile],
    { input: true, env: { ...env, ...certificates, VICKET_URL: url } });
  engine.send = (first, count, event = "ticket.opened", connector = "crm") => {
    for (let i = first; i < first + count; ++i)
      engine.child.stdin.write(JSON.stringify({ connector: connector ?? undefined, event, occurred_at: "2026-05-23T14:21:11.412Z",
        data: { number: i, text: "Grüße 🎟️ \u2028" }, run: `run-${i}` }) + "\n");
  };
  return engine;
}

const parsed = (lines) => lines.filter((line) => line !== "").map((line) => JSON.parse(line));

/// Without cursors: those of a line differ with what its reader had been promised before.
const entries = (feed) => feed.map(({ cursor, ...entry }) => entry);

/// The feed, once `count` of its events are delivered.
async function feedWith(world, count) {
  for (let at = Date.now(); Date.now() - at < 60_000;) {
    const feed = parsed((await world.vicket(["--json", "outcomes"])).stdout.split("\n"));
    if (feed.filter(({ state }) => state === "delivered").length >= count) return feed;
  }
  throw new Error(`no ${count} events were delivered`);
}

/// The engine has printed all of the feed, and has saved that.
async function readToItsEnd(world, engine, cursorFile, feed) {
  const last = feed.at(-1).id;
  await engine.line(new RegExp(`"${last}".*"state": ?"delivered"`));
  for (let at = Date.now(); Date.now() - at < 60_000;) {
    const cursor = await readFile(cursorFile, "utf8");
    if ((await world.vicket(["--json", "outcomes", "--from", cursor])).stdout === "") return;
  }
  throw new Error("the cursor was not saved");
}

for (const [language, engineOf] of Object.entries(engines)) {
  test(`${language}, TLS: a node that is killed costs no event and no outcome`, async (t) => {
    const world = await startWorld(t, `${language}-killed`);
    const cursorFile = join(scratch, `${language}-killed.cursor`);
    const url = `wss://${world.node.address}/v1/link`;
    const engine = startEngine(t, engineOf, cursorFile, url, world.authority);
    engine.send(0, 150); // more than a batch
    await engine.line(/"delivered"/);

    world.node.child.kill("SIGKILL");
    await world.node.ended;
    engine.send(150, 20);
    await world.startAgain();
    engine.send(170, 20);
    const feed = await feedWith(world, 190);
    await readToItsEnd(world, engine, cursorFile, feed);
    assert.deepEqual(entries(parsed(engine.lines)), entries(feed));
    assert.equal(new Set(feed.map(({ run: one }) => one)).size, 190);
    assert.ok(feed.length > 190); // events failed once, as far as the node lived to record it
    assert.equal(engine.stderr.match(/^connected$/gm).length, 2);
    assert.match(engine.stderr, /^no node: /m);

    // Another one goes on where this one was.
    await engine.stop();
    const next = startEngine(t, engineOf, cursorFile, url, world.authority);
    next.send(190, 1);
    const longer = await feedWith(world, 191);
    await readToItsEnd(world, next, cursorFile, longer);
    assert.deepEqual(entries(parsed(next.lines)), entries(longer.slice(feed.length)));
    assert.equal(await world.node.stop(), 0);
  });

  test(`${language}, Unix socket: a node that is stopped and started costs nothing, and refusals are told`, async (t) => {
    const world = await startWorld(t, `${language}-stopped`);
    const cursorFile = join(scratch, `${language}-stopped.cursor`);
    const engine = startEngine(t, engineOf, cursorFile, engineOf.unix(world.socket));
    engine.send(0, 5);
    engine.send(5, 1, "invoice.paid");
    await engine.line(/"delivered"/);

    assert.equal(await world.node.stop(), 0);
    engine.send(6, 5);
    await world.startAgain();
    const feed = await feedWith(world, 10);
    await readToItsEnd(world, engine, cursorFile, feed);
    assert.deepEqual(entries(parsed(engine.lines)), entries(feed));
    assert.equal(engine.stderr.match(/^refused .*filtered/gm).length, 1);
    assert.equal(engine.stderr.match(/^accepted /gm).length, 10);

    // Events without a connector go where rules say, among others that name one.
    await world.vicket(["rule", "put", "-"],
      { input: JSON.stringify({ id: "all", events: ["ticket.*"], actions: [{ send_to_connector: "crm" }] }) });
    engine.send(11, 1, "ticket.opened", null);
    engine.send(12, 1, "invoice.paid", null); // no rule is for it
    engine.send(13, 1);
    const longer = await feedWith(world, 12);
    await readToItsEnd(world, engine, cursorFile, longer);
    assert.equal(engine.stderr.match(/^accepted /gm).length, 13);
    assert.equal(engine.stderr.match(/"?rule"?'?: ?["']all["']/g)?.length, 1);
    assert.equal(await world.node.stop(), 0);
  });
}
