// SPDX-License-Identifier: GPL-2.0-or-later
// node web/build.mjs OUTPUT: the page as one file, without the data. Scripts and styles stand in it
// as they are; a policy lets the browser run these and nothing else, and load nothing.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

const bundled = async (name) => {
  const result = await build({
    entryPoints: [join(here, name)],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    charset: "utf8",
    legalComments: "none",
    target: ["chrome90", "firefox90", "safari15"],
    format: "iife",
    // The style of the flame graph is in style.css.
    loader: { ".css": name.endsWith(".css") ? "css" : "empty" },
  });
  return { text: result.outputFiles[0].text.trim(), inputs: Object.keys(result.metafile.inputs) };
};

/** The licences of all packages whose code is in the page. */
const licences = (inputs) => {
  const names = new Set();
  for (const input of inputs) {
    const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) names.add(match[1]);
  }
  const texts = new Map();
  for (const name of [...names].sort()) {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const text = readFileSync(join(folder, "LICENSE"), "utf8").trim();
    if (!texts.has(text)) texts.set(text, []);
    texts.get(text).push(`${name} ${version} (${license})`);
  }
  return [...texts].map(([text, users]) => `${users.join(", ")}\n\n${text}`).join("\n\n----\n\n");
};

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const script = await bundled("main.js");
const style = await bundled("style.css");
// What would end the element or begin a comment in it cannot stand in a script.
const code = script.text.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
const policy = `default-src 'none'; script-src ${hash(code)}; style-src ${hash(style.text)}; ` +
  "base-uri 'none'; form-action 'none'";
const comment = licences(script.inputs).replaceAll("--", "- -").replaceAll(">", "&gt;");
const parts = { POLICY: policy, STYLE: style.text, SCRIPT: code, LICENCES: comment };
const page = readFileSync(join(here, "page.html"), "utf8").replace(
  /@PAGE-([A-Z]+)@/g, (_, name) => parts[name]);
writeFileSync(process.argv[2], page);
