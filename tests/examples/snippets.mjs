// Turns the code that the README and its pages print into something that runs. What is printed is what is run.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { sourceDir } from "./support.mjs";

/// The fenced block after `<!-- snippet: NAME -->` in the README, or in another page.
export async function readmeSnippet(name, page = "README.md") {
  const text = await readFile(join(sourceDir, page), "utf8");
  const found = text.match(new RegExp(`<!-- snippet: ${name} -->\n+\`\`\`\\w+\n([^]*?)\`\`\``));
  if (!found) throw new Error(`${page} has no snippet ${name}`);
  return found[1];
}

/// A module whose `handle(rawBody, header, headers)` is the snippet: its imports stay on top, the rest becomes the
/// function's body. `process.env.X!` is TypeScript; taking out the `!` is all that is changed.
export async function asHandler(code, folder, name) {
  const plain = code.replace(/(process\.env\.\w+)!/g, "$1");
  const imports = plain.split("\n").filter((line) => line.startsWith("import "));
  const rest = plain.split("\n").filter((line) => !line.startsWith("import "));
  const file = join(folder, `${name}.mjs`);
  await writeFile(file, `${imports.join("\n")}
export function handle(rawBody, header, headers) {
${rest.join("\n")}
  return new Response(null, { status: 204 });
}
`);
  const { handle } = await import(pathToFileURL(file));
  return handle;
}

/// Whether a handler lets a request through; one that throws does not.
export function accepts(handle, { body, headers }) {
  try {
    return handle(body, headers["x-vicket-signature"], headers).status === 204;
  } catch {
    return false;
  }
}
