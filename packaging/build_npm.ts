/**
 * Builds the package for npm: `deno task npm [FOLDER]`. It holds the
 * program in one file, and a script that becomes the Deno which runs it.
 *
 * @module
 */
import { resolve } from "node:path";
import config from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url).pathname;
/** Beside the checkout: within it, Deno would find its package.json. */
const FOLDER = `${ROOT}../mqfuse-npm`;
/** The version of Deno that is tested. */
const DENO_VERSION = "2.9.6";

const MANIFEST = {
  name: "mqfuse",
  version: config.version,
  description:
    "A multi-queue FUSE server that shows disk images as plain files, without native code",
  keywords: ["fuse", "filesystem", "qcow2", "disk-image", "io_uring", "deno"],
  license: config.license,
  bin: { mqfuse: "mqfuse" },
  files: ["mqfuse", "program.mjs"],
  dependencies: { deno: DENO_VERSION },
  engines: { node: ">=18" },
  os: ["linux"],
  cpu: ["x64", "arm64"],
};

async function bundle(to: string): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "deno", "-o", to, "main.ts"],
    cwd: ROOT,
  }).spawn().status;
  if (!success) throw new Error("Cannot bundle main.ts");
}

async function build(folder: string): Promise<void> {
  if (`${folder}/`.startsWith(ROOT)) {
    throw new Error(`Cannot build in ${folder}: it is in this checkout`);
  }
  await Deno.mkdir(folder, { recursive: true });
  await bundle(`${folder}/program.mjs`);
  const manifest = `${JSON.stringify(MANIFEST, null, 2)}\n`;
  await Deno.writeTextFile(`${folder}/package.json`, manifest);
  await Deno.copyFile(`${ROOT}LICENSE`, `${folder}/LICENSE`);
  for (const name of ["mqfuse", "README.md"]) {
    await Deno.copyFile(`${ROOT}packaging/npm/${name}`, `${folder}/${name}`);
  }
  await Deno.chmod(`${folder}/mqfuse`, 0o755);
}

if (import.meta.main) await build(resolve(Deno.args[0] ?? FOLDER));
