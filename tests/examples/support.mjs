// What the tests in this folder share: running programs, a real node, certificates, a scratch folder.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

// Set by CTest, see CMakeLists.txt.
export const sourceDir = need("VICKET_SOURCE_DIR");
export const buildDir = need("VICKET_BUILD_DIR");

const patienceMs = 60_000; // for what takes a second on an idle machine

export function need(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this through ctest`);
  return value;
}

/// Stands for a test where something is to live as long as its file: hooks that a `before` adds itself would run at
/// the end of that very `before`. Call it at the top level.
export function wholeFile(after) {
  const hooks = [];
  after(async () => {
    for (const hook of hooks.reverse()) await hook();
  });
  return { after: (hook) => hooks.push(hook) };
}

/// A folder that is removed after the test.
export async function withScratch(test) {
  const folder = await mkdtemp(join(tmpdir(), "vicket-examples-"));
  test.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/// Runs a program to its end. Whatever its exit code: { code, stdout, stderr }.
export async function run(program, args, options = {}) {
  const { input, ...rest } = options;
  const child = promisify(execFile)(program, args, { maxBuffer: 64 << 20, timeout: patienceMs, ...rest });
  if (input !== undefined) child.child.stdin.end(input);
  try {
    return { code: 0, ...(await child) };
  } catch (problem) {
    if (typeof problem.code === "string") throw problem; // it could not be started
    return { code: problem.code, stdout: problem.stdout, stderr: problem.stderr };
  }
}

/// The same where only exit code 0 will do.
export async function mustRun(program, args, options) {
  const result = await run(program, args, options);
  if (result.code !== 0)
    throw new Error(`${program} ${args.join(" ")}\nended with ${result.code}\n${result.stdout}\n${result.stderr}`);
  return result;
}

/// A self-signed certificate for 127.0.0.1, which serves as its own trust root.
export async function makeCertificate(folder, name) {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  await mustRun("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
    "-days", "2", "-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
    "-keyout", files.key, "-out", files.cert]);
  return { ...files, certText: await readFile(files.cert), keyText: await readFile(files.key) };
}

/// An authority of one's own, and a certificate of it for 127.0.0.1, as strict checks want them.
export async function makeAuthority(folder, name) {
  const path = (ending) => join(folder, `${name}.${ending}`);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await mustRun("openssl", ["req", "-x509", ...key, "-days", "2", "-subj", `/CN=${name} authority`,
    "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", path("ca.key"), "-out", path("ca.pem")]);
  await mustRun("openssl", ["req", ...key, "-subj", `/CN=${name}`, "-keyout", path("key"), "-out", path("csr")]);
  await writeFile(path("ext"), "subjectAltName=IP:127.0.0.1,DNS:localhost\nauthorityKeyIdentifier=keyid\n" +
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n");
  await mustRun("openssl", ["x509", "-req", "-days", "2", "-in", path("csr"), "-CA", path("ca.pem"),
    "-CAkey", path("ca.key"), "-CAcreateserial", "-extfile", path("ext"), "-out", path("pem")]);
  return { cert: path("pem"), key: path("key"), ca: path("ca.pem") };
}

/// A program that runs until it is stopped; its output is kept line by line.
export class Program {
  /// With `input` there is something to write to, `.child.stdin`.
  constructor(test, program, args, { input = false, env = process.env } = {}) {
    this.lines = [];
    this.stderr = "";
    this.waiting = [];
    this.child = spawn(program, args, { env, stdio: [input ? "pipe" : "ignore", "pipe", "pipe"] });
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code, signal) => resolve(code ?? signal));
    });
    this.ended.then(() => this.look(true), () => this.look(true));
    this.child.stderr.on("data", (text) => { this.stderr += text; });
    let rest = "";
    this.child.stdout.on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      this.lines.push(...lines);
      this.look(false);
    });
    test.after(() => this.child.exitCode === null && this.child.kill("SIGKILL"));
  }

  /// The first line that `matches`, from the `from`th on.
  line(matches, from = 0) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing like ${matches} in:\n${this.output()}`)), patienceMs);
      this.waiting.push({ matches, from, timer, resolve, reject });
      this.look(this.child.exitCode !== null);
    });
  }

  look(ended) {
    this.waiting = this.waiting.filter(({ matches, from, timer, resolve, reject }) => {
      const found = this.lines.slice(from).find((line) => matches.test(line));
      if (found === undefined && !ended) return true;
      clearTimeout(timer);
      if (found === undefined) reject(new Error(`it ended without ${matches}:\n${this.output()}`));
      else resolve(found);
      return false;
    });
  }

  output() { return [...this.lines, this.stderr].join("\n"); }

  async stop() {
    this.child.kill("SIGTERM");
    return this.ended;
  }
}

/// A vicketd that is ready; `.address` is its actor port.
export async function startNode(test, dataDir, flags, binDir = buildDir) {
  const node = new Program(test, join(binDir, "vicketd"),
    ["--data-dir", dataDir, "--listen", "127.0.0.1:0", "--allow-cidr", "127.0.0.0/8", ...flags]);
  node.address = (await node.line(/^vicketd ready actors=/)).replace("vicketd ready actors=", "");
  return node;
}

export function vicket(node, args, options) {
  return mustRun(join(buildDir, "vicket"), ["--node", node.address, ...args], options);
}
