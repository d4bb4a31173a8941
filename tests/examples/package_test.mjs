// The package as a stranger uses it: installed, then examples/workflow_engine built and run against a real node.

import assert from "node:assert/strict";
import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startReceiver } from "./receiver.mjs";
import {
  Program, buildDir, makeCertificate, mustRun, need, run, sourceDir, startNode, vicket, wholeFile, withScratch,
} from "./support.mjs";

const file = wholeFile(after);
const prefix = join(buildDir, "tests", "examples", "prefix");
const engineBuild = join(buildDir, "tests", "examples", "workflow_engine");
let scratch;
let certificate;

before(async () => {
  scratch = await withScratch(file);
  certificate = await makeCertificate(scratch, "endpoint");
  await mustRun("cmake", ["--install", buildDir, "--prefix", prefix]);
});

async function filesUnder(folder) {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await filesUnder(path)));
    else found.push(path);
  }
  return found;
}

async function startEndpoint(t, node, name, answer) {
  const receiver = await startReceiver(t, certificate, answer);
  const connector = { id: name, url: receiver.url, retry: { base_ms: 100, factor: 1, cap_ms: 100 } };
  await vicket(node, ["connector", "put", "-"], { input: JSON.stringify(connector) });
  return receiver;
}

const nodeFlags = () => ["--ca-file", certificate.cert];
const engine = () => join(engineBuild, "workflow_engine");

function engineFlags(address, connector, runId, more = []) {
  return [`--node=${address}`, `--connector=${connector}`, `--run=${runId}`,
    `--cursor-file=${join(scratch, `${connector}.cursor`)}`, ...more];
}

test("the package holds the programs, what travels, and nothing of what a node is made of", async () => {
  await access(join(prefix, "bin", "vicketd"));
  await access(join(prefix, "bin", "vicket"));
  const files = (await filesUnder(prefix)).map((path) => path.slice(prefix.length + 1));
  assert.ok(files.includes("include/vicket/messages/actors.hpp"));
  assert.ok(files.some((path) => path.endsWith("/libvicket_messages.a")));
  assert.deepEqual(
    files.filter((path) => path.endsWith(".hpp") && !path.startsWith("include/vicket/messages/")).sort(),
    ["include/vicket/link/connect.hpp", "include/vicket/link/link_options.hpp", "include/vicket/net/tls_files.hpp"]);
  for (const header of files.filter((path) => path.endsWith(".hpp")))
    assert.doesNotMatch(await readFile(join(prefix, header), "utf8"), /#include <(boost|openssl|caf\/(io|openssl))\//, header);
  for (const name of files.filter((path) => path.endsWith(".cmake")))
    assert.doesNotMatch(await readFile(join(prefix, name), "utf8"), /vicket_build_flags/, name);
});

test("a workflow engine in a project of its own builds with nothing but the package", async () => {
  await mustRun("cmake", ["-G", "Ninja", "-S", join(sourceDir, "examples", "workflow_engine"), "-B", engineBuild,
    `-DCMAKE_PREFIX_PATH=${prefix}`, `-DCMAKE_CXX_COMPILER=${need("VICKET_CXX")}`,
    `-DCMAKE_CXX_FLAGS=${process.env.VICKET_CXX_FLAGS ?? ""}`,
    ...(process.env.VICKET_CCACHE ? [`-DCMAKE_CXX_COMPILER_LAUNCHER=${process.env.VICKET_CCACHE}`] : [])]);
  await mustRun("cmake", ["--build", engineBuild], { timeout: 240_000 });
});

test("it fires events, follows their outcomes, and goes on in the feed where it was", async (t) => {
  const node = await startNode(t, join(scratch, "plain"), nodeFlags(), join(prefix, "bin"));
  const receiver = await startEndpoint(t, node, "crm");

  const first = await mustRun(engine(), engineFlags(node.address, "crm", "run-1", ["--tickets=3"]));
  const second = await mustRun(engine(), engineFlags(node.address, "crm", "run-2", ["--tickets=2"]));

  assert.equal(first.stdout.match(/^accepted /gm).length, 3);
  assert.equal(first.stdout.match(/^outcome .* run run-1, attempt 1: delivered 204, delivered$/gm).length, 3);
  assert.doesNotMatch(second.stdout, /run run-1/, "outcomes that were read are not read again");
  assert.equal(second.stdout.match(/^outcome .* run run-2, /gm).length, 2);
  const bodies = receiver.deliveries.map(({ body }) => JSON.parse(body));
  assert.equal(bodies.length, 5);
  assert.ok(bodies.every(({ data }) => data.message === "Ticket resolved by the on-call agent."));
  assert.equal(await node.stop(), 0);
});

test("it fires triggers, which go where the node's rules say, and follows what they become", async (t) => {
  const node = await startNode(t, join(scratch, "rules"), nodeFlags());
  const receivers = [await startEndpoint(t, node, "one"), await startEndpoint(t, node, "two")];
  await vicket(node, ["rule", "put", "-"], { input: JSON.stringify({ id: "resolved", events: ["ticket.*"],
    filter: { "/ticket/status/category": { eq: "resolved" } },
    actions: [{ send_to_connector: "one" }, { send_to_connector: "two", message: "{{/ticket/id}}" }] }) });

  const { stdout } = await mustRun(engine(), engineFlags(node.address, "nobody", "run-6", ["--triggers", "--tickets=3"]));

  assert.equal(stdout.match(/^accepted .* for (one|two) by rule resolved$/gm).length, 6);
  assert.equal(stdout.match(/^outcome .* run run-6, attempt 1: delivered 204, delivered$/gm).length, 6);
  assert.deepEqual(receivers[1].deliveries.map(({ body }) => JSON.parse(body).data.message).sort(), ["T-1", "T-2", "T-3"]);
  assert.equal(receivers[0].deliveries.length, 3);
  assert.equal(await node.stop(), 0);
});

test("it rides out a restart of the node: nothing is lost, the feed goes on", async (t) => {
  let healthy = false;
  const dataDir = join(scratch, "restarting");
  const node = await startNode(t, dataDir, nodeFlags());
  const receiver = await startEndpoint(t, node, "flaky", () => (healthy ? 200 : 500));
  const running = new Program(t, engine(), engineFlags(node.address, "flaky", "run-3", ["--tickets=2"]));
  await running.line(/attempt 1: http_status 500, pending$/);
  await receiver.arrived(3);

  assert.equal(await node.stop(), 0);
  await running.line(/^no node: /);
  healthy = true;
  const again = new Program(t, join(buildDir, "vicketd"), ["--data-dir", dataDir, "--listen", node.address,
    "--allow-cidr", "127.0.0.0/8", ...nodeFlags()]);
  await again.line(/^vicketd ready/);

  assert.equal(await running.ended, 0, running.output());
  assert.equal(running.lines.filter((line) => /, delivered$/.test(line)).length, 2);
  assert.equal(running.lines.filter((line) => line === "connected").length, 2);
  assert.equal(await again.stop(), 0);
});

test("it says what was refused, and ends with an error", async (t) => {
  const node = await startNode(t, join(scratch, "refusing"), nodeFlags());
  const result = await run(engine(), engineFlags(node.address, "nobody", "run-4", ["--tickets=1"]));
  assert.equal(result.code, 1, result.stdout + result.stderr);
  assert.match(result.stdout, /^refused .* unknown_connector: /m);
});

test("over TLS it needs a certificate that the node trusts", async (t) => {
  const ours = await makeCertificate(scratch, "cluster");
  const tls = ["--tls-cert", ours.cert, "--tls-key", ours.key, "--tls-ca", ours.cert];
  const node = await startNode(t, join(scratch, "tls"), [...nodeFlags(), ...tls]);
  const receiver = await startReceiver(t, certificate);
  await vicket(node, [...tls, "connector", "put", "-"], { input: JSON.stringify({ id: "safe", url: receiver.url }) });

  await mustRun(engine(), engineFlags(node.address, "safe", "run-5",
    ["--tickets=1", `--tls-cert=${ours.cert}`, `--tls-key=${ours.key}`, `--tls-ca=${ours.cert}`]));

  assert.equal(receiver.deliveries.length, 1);
});
