// The page's promise: what it prints verifies what we send. Real deliveries of a real node are put to the product
// page's snippet, to the README's, and to the package `standardwebhooks`.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile, mkdir, copyFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startReceiver } from "./receiver.mjs";
import { accepts, asHandler, readmeSnippet } from "./snippets.mjs";
import {
  buildDir, makeCertificate, mustRun, need, run, sourceDir, startNode, vicket, wholeFile, withScratch,
} from "./support.mjs";

// Of the snippet as the product page prints it, with a newline at its end.
const productPageSha256 = "b2c6d3d17be70682b1c615f75a290c175b6afdda2e5d8cee439c99eac67b462f";

const file = wholeFile(after);
const work = join(buildDir, "tests", "examples", "signatures");
const ours = join(sourceDir, "tests", "examples");
let secret;
let genuine; // deliveries, as { headers, body }
let forged; // the same, with one byte of the body changed

const events = [
  { data: {} },
  { data: { ticket: { id: "T-1", status: { category: "resolved" } } }, message: "Resolved by the on-call agent." },
  { data: { text: "Grüße, 世界, 🎟️ \" \\ \u2028 </script>" }, message: "façade\nsecond line" },
  { data: { numbers: [0.1, 1e300, -0, 12345678901234567890n.toString()], nothing: null, list: Array(500).fill("x") } },
  { data: { text: "y".repeat(100_000) } },
];

/// For the tests that need it alone; the others run where npm can't reach its registry, too. npm would try for 70 s by
/// itself, whatever is the matter.
let installed;
function installPackages() {
  return (installed ??= (async () => {
    for (const file of ["package.json", "package-lock.json"]) await copyFile(join(ours, file), join(work, file));
    const result = await run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline",
      "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000"], { cwd: work, timeout: 120_000 })
      .catch((problem) => ({ code: problem.message, stderr: "" }));
    if (result.code !== 0)
      throw new Error("npm could not install `standardwebhooks`, which this test verifies with: npm has to be there (make " +
        "setup) and to reach its registry and trust its certificate (a network that puts its own in between: npm's " +
        `\`cafile\`), or have the packages cached.\nnpm ci: ${result.code}\n${result.stderr}`);
  })());
}

function withOneByteChanged({ headers, body }) {
  const changed = Buffer.from(body);
  changed[Math.floor(changed.length / 2)] ^= 1;
  return { headers, body: changed };
}

before(async () => {
  await mkdir(work, { recursive: true });
  const scratch = await withScratch(file);
  const certificate = await makeCertificate(scratch, "endpoint");
  const node = await startNode(file, join(scratch, "node"), ["--ca-file", certificate.cert]);
  const receiver = await startReceiver(file, certificate);
  const put = await vicket(node, ["--json", "connector", "put", "-"],
    { input: JSON.stringify({ id: "page", url: receiver.url }) });
  secret = JSON.parse(put.stdout).secret; // made by the node
  process.env.VICKET_WEBHOOK_SECRET = secret;
  const lines = events.map((event) => JSON.stringify({ connector: "page", event: "ticket.status_changed",
    occurred_at: "2026-05-23T14:21:11.412Z", ...event }));
  await vicket(node, ["send"], { input: lines.join("\n") });
  genuine = (await receiver.arrived(events.length)).slice();
  forged = genuine.map(withOneByteChanged);
  assert.equal(await node.stop(), 0);
});

async function checkHandler(code, name) {
  const handle = await asHandler(code, work, name);
  for (const delivery of genuine) assert.ok(accepts(handle, delivery), `genuine: ${delivery.body}`);
  for (const delivery of forged) assert.ok(!accepts(handle, delivery), `one byte changed: ${delivery.body}`);
  return handle;
}

test("the secret is one that the node made: whsec_ and base64 of 32 bytes", () => {
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
});

test("the snippet that we run is the product page's, and the README prints it as it stands", async () => {
  const snippet = await readFile(join(ours, "product-page-snippet.ts"), "utf8");
  assert.equal(createHash("sha256").update(snippet).digest("hex"), productPageSha256);
  assert.equal(await readmeSnippet("product-page"), snippet);
});

test("the product page's snippet accepts every delivery, and refuses a body with one byte changed", async () => {
  const handle = await checkHandler(await readFile(join(ours, "product-page-snippet.ts"), "utf8"), "product-page");
  assert.equal(handle(forged[0].body, forged[0].headers["x-vicket-signature"]).status, 401);
});

test("the package standardwebhooks accepts every delivery, and refuses a body with one byte changed", async () => {
  await installPackages();
  await checkHandler(await readmeSnippet("standard-webhooks"), "standard-webhooks");
});

test("the receivers' page's check of both signatures accepts every delivery, and refuses what lacks one", async (t) => {
  await installPackages();
  const handle = await checkHandler(await readmeSnippet("both", "docs/receivers.md"), "both");
  for (const name of ["x-vicket-signature", "webhook-id", "webhook-timestamp", "webhook-signature"]) {
    const { body, headers } = genuine[0];
    const without = Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
    assert.equal(handle(body, undefined, without).status, 401, name);
    assert.equal(handle(body, undefined, { ...headers, [name]: "x" }).status, 401, name);
  }
  const signedAt = Number(genuine[0].headers["webhook-timestamp"]);
  t.mock.method(Date, "now", () => (signedAt + 301) * 1000);
  assert.ok(!accepts(handle, genuine[0]), "301 s later");
});

test("the README's check of t= lets a fresh delivery through, and nothing older than 300 s", async (t) => {
  const handle = await checkHandler((await readFile(join(ours, "product-page-snippet.ts"), "utf8")) +
    (await readmeSnippet("fresh")), "fresh");
  const signedAt = Number(genuine[0].headers["x-vicket-signature"].match(/t=(\d+)/)[1]);
  t.mock.method(Date, "now", () => (signedAt + 300) * 1000);
  assert.ok(accepts(handle, genuine[0]), "300 s later");
  t.mock.method(Date, "now", () => (signedAt + 301) * 1000);
  assert.ok(!accepts(handle, genuine[0]), "301 s later");
  t.mock.method(Date, "now", () => (signedAt - 301) * 1000);
  assert.ok(!accepts(handle, genuine[0]), "301 s before");
});

/// Puts the deliveries to a program that is given, per case, the header and a body file, and prints one word per case.
async function checkProgram(program, args) {
  const cases = [...genuine, ...forged];
  const list = await Promise.all(cases.map(async ({ headers, body }, i) => {
    const bodyFile = join(work, `body-${i}`);
    await writeFile(bodyFile, body);
    return [headers["x-vicket-signature"], bodyFile];
  }));
  const signedAt = genuine[0].headers["x-vicket-signature"].match(/t=(\d+)/)[1];
  const verdicts = async (now, pairs = list) =>
    (await mustRun(program, [...args, String(now), ...pairs.flat()])).stdout.trim().split("\n");
  assert.deepEqual(await verdicts(signedAt), [...genuine.map(() => "genuine"), ...forged.map(() => "refused")]);
  assert.deepEqual(new Set(await verdicts(Number(signedAt) + 400)), new Set(["refused"]), "400 s later");
  const broken = ["", "t=1", "hmac-sha256, t=x, v1=00", `hmac-sha256, t=${signedAt}, v1=`];
  const withBroken = broken.map((header) => [header, list[0][1]]);
  assert.deepEqual(new Set(await verdicts(signedAt, withBroken)), new Set(["refused"]), "headers that are none");
}

test("the README's Python accepts every delivery, and refuses changed bodies, old ones, broken headers", async () => {
  const source = join(work, "verify.py");
  await writeFile(source, `${await readmeSnippet("python")}
import sys
now, cases = int(sys.argv[1]), sys.argv[2:]
for header, path in zip(cases[::2], cases[1::2]):
    with open(path, "rb") as body:
        print("genuine" if is_genuine(${JSON.stringify(secret)}, header, body.read(), now) else "refused")
`);
  await checkProgram("python3", [source]);
});

test("the README's C++ accepts every delivery, and refuses changed bodies, old ones, broken headers", async () => {
  const source = join(work, "verify.cpp");
  await writeFile(source, `${await readmeSnippet("cpp")}
#include <cstdio>
#include <fstream>
#include <iterator>
int main(int argc, char** argv) {
  for (int i = 2; i + 1 < argc; i += 2) {
    std::ifstream file{argv[i + 1], std::ios::binary};
    const std::string body{std::istreambuf_iterator<char>{file}, {}};
    std::puts(is_genuine(${JSON.stringify(secret)}, argv[i], body, std::stoll(argv[1])) ? "genuine" : "refused");
  }
}
`);
  await mustRun(need("VICKET_CXX"),
    ["-std=c++20", "-Wall", "-Wextra", "-Werror", source, "-o", join(work, "verify"), "-lcrypto"]);
  await checkProgram(join(work, "verify"), []);
});
