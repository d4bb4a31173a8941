// The certificates that the README makes, used as it says: roles by name, and another certificate put in their place while
// an engine sends.

import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { readmeSnippet } from "./snippets.mjs";
import { Program, buildDir, makeAuthority, mustRun, run, startNode, vicket, wholeFile, withScratch } from "./support.mjs";

const file = wholeFile(after);
const roles = ["--role", "*.engines.example=sender", "--role", "ops.example=operator"];
let folder;
let snippet;

before(async () => {
  folder = await withScratch(file);
  snippet = await readmeSnippet("certificates");
  await mustRun("sh", ["-euc", snippet], { cwd: folder });
});

const path = (name) => join(folder, name);
const files = (who) =>
  ["--tls-cert", path(`${who}.pem`), "--tls-key", path(`${who}.key`), "--tls-ca", path("ca.pem")];
const connector = JSON.stringify({ id: "crm", url: "https://crm.example.com/hook" });
const event = (number) => JSON.stringify({ connector: "crm", event: "ticket.opened",
  occurred_at: "2026-05-23T14:21:11.412Z", data: { number } });

function startGuardedNode(t, name) {
  return startNode(t, path(name), [...files("node"), ...roles]);
}

test("each certificate may do what its name's role says, and one of another authority nothing", async (t) => {
  const node = await startGuardedNode(t, "roles");
  const refused = async (who, args, input) =>
    run(join(buildDir, "vicket"), ["--node", node.address, ...who, ...args], { input });
  const put = await refused(files("engine"), ["connector", "put", "-"], connector);
  assert.equal(put.code, 1);
  assert.match(put.stderr, /forbidden/);
  await vicket(node, [...files("operator"), "connector", "put", "-"], { input: connector });
  const operated = await refused(files("operator"), ["send", "-"], event(1));
  assert.equal(operated.code, 1);
  assert.match(operated.stdout + operated.stderr, /forbidden/);
  const sent = await vicket(node, [...files("engine"), "send", "-"], { input: event(1) });
  assert.match(sent.stdout, /"duplicate":false/);
  const other = await makeAuthority(folder, "stranger");
  const stranger = ["--tls-cert", other.cert, "--tls-key", other.key, "--tls-ca", path("ca.pem")];
  assert.equal((await refused(stranger, ["status"])).code, 3);
});

test("a revocation list refuses who is in it, and one that would refuse everybody changes nothing", async (t) => {
  await writeFile(path("ca.conf"), "[ca]\ndefault_ca = here\n[here]\ndatabase = index.txt\ncrlnumber = crlnumber\n" +
    "default_md = sha256\ndefault_crl_days = 30\n");
  await writeFile(path("index.txt"), "");
  await writeFile(path("crlnumber"), "01\n");
  const ca = (...args) => mustRun("openssl", ["ca", "-config", "ca.conf", "-keyfile", "ca.key", "-cert", "ca.pem", ...args],
    { cwd: folder });
  await ca("-gencrl", "-out", "crl.pem");
  const node = await startNode(t, path("revoked"), [...files("node"), ...roles, "--tls-crl", path("crl.pem")]);
  const status = async (who) =>
    (await run(join(buildDir, "vicket"), ["--node", node.address, ...files(who), "status"])).code;
  assert.equal(await status("operator"), 0);
  const hangUp = async (expected) => {
    const before = node.stderr.length;
    node.child.kill("SIGHUP");
    for (let i = 0; i < 600 && !expected.test(node.stderr.slice(before)); ++i)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(node.stderr.slice(before), expected);
  };
  await ca("-gencrl", "-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200102000000Z", "-out", "crl.pem");
  await hangUp(/stay as they were.*not valid now/);
  assert.equal(await status("operator"), 0);
  const other = await makeAuthority(folder, "another");
  await ca("-gencrl", "-out", "crl.pem");
  const own = await readFile(path("ca.pem"));
  await writeFile(path("ca.pem"), Buffer.concat([own, await readFile(other.ca)]));
  await hangUp(/stay as they were.*there is none of the CA/);
  // An intermediate and its list are enough: its root issues no client's certificate.
  const openssl = (...args) => mustRun("openssl", args, { cwd: folder });
  await openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=between",
    "-keyout", "between.key", "-out", "between.csr");
  await writeFile(path("between.ext"), "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n");
  await openssl("x509", "-req", "-in", "between.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
    "-extfile", "between.ext", "-out", "between.pem");
  await openssl("ca", "-config", "ca.conf", "-gencrl", "-keyfile", "between.key", "-cert", "between.pem", "-out", "crl.pem");
  await writeFile(path("ca.pem"), Buffer.concat([own, await readFile(path("between.pem"))]));
  await hangUp(/certificates are new/);
  await writeFile(path("ca.pem"), own);
  await ca("-revoke", "operator.pem");
  await ca("-gencrl", "-out", "crl.pem");
  await hangUp(/certificates are new/);
  assert.equal(await status("operator"), 3);
});

test("certificates are replaced, by broken ones as well, while an engine sends: nothing is lost", async (t) => {
  const node = await startGuardedNode(t, "replaced");
  await vicket(node, [...files("operator"), "connector", "put", "-"], { input: connector });
  const engine = new Program(t, join(buildDir, "vicket"), ["--node", node.address, ...files("engine"), "send", "-"],
    { input: true });
  let sent = 0;
  // Sends, and waits until the last of them is answered.
  const send = async (count) => {
    for (let i = 0; i < count; ++i) engine.child.stdin.write(`${event(++sent)}\n`);
    await engine.line(/./, sent - 1);
  };
  const fingerprintOf = async (name) =>
    (await mustRun("openssl", ["x509", "-in", path(name), "-noout", "-fingerprint", "-sha256"])).stdout.trim();
  const shown = async () => {
    const answer = await run("sh", ["-c", 'openssl s_client -connect "$1" -CAfile "$2" -cert "$3" -key "$4" </dev/null ' +
      "2>/dev/null | openssl x509 -noout -fingerprint -sha256", "sh", node.address, path("ca.pem"),
    path("engine.pem"), path("engine.key")]);
    return answer.stdout.trim();
  };
  // Until the log says so; meanwhile the engine goes on.
  const hangUp = async (expected) => {
    const before = node.stderr.length;
    node.child.kill("SIGHUP");
    for (let i = 0; i < 600 && !expected.test(node.stderr.slice(before)); ++i) await send(10);
    assert.match(node.stderr.slice(before), expected);
  };
  await send(100);
  const first = await fingerprintOf("node.pem");
  assert.equal(await shown(), first);

  const key = await readFile(path("node.key"));
  for (const broken of ["", "no key at all", await readFile(path("engine.key"))]) {
    await writeFile(path("node.key"), broken);
    await hangUp(/certificates stay as they were/);
    assert.equal(await shown(), first);
  }
  await rm(path("node.key"));
  await mustRun("mkfifo", [path("node.key")]); // nobody ever writes to it
  await hangUp(/certificates stay as they were/);
  assert.equal(await shown(), first);
  await rm(path("node.key"));
  await writeFile(path("node.key"), key);

  await mustRun("sh", ["-euc", `${snippet.slice(snippet.indexOf("certificate()"))}`], { cwd: folder });
  const second = await fingerprintOf("node.pem");
  assert.notEqual(second, first);
  await hangUp(/certificates are new/);
  assert.equal(await shown(), second);
  await send(100);

  engine.child.stdin.end();
  assert.equal(await engine.ended, 0, engine.output()); // no refusal
  assert.equal(engine.lines.length, sent);
  assert.ok(engine.lines.every((line) => /"duplicate":false/.test(line)));
  assert.ok(!/connection/i.test(engine.stderr), engine.stderr); // it has had one
  await vicket(node, [...files("operator"), "status"]); // also a new one, with its own new certificate
});
