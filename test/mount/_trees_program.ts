/**
 * Mounts a tree that is made of something: KIND SOURCE MOUNTPOINT. The kind is a
 * key of `TREES`.
 *
 * @module
 */
import nodeFs from "node:fs";
import {
  type FileSystem,
  fromNodeFs,
  mountFileSystem,
  overlay,
} from "../../fs.ts";
import { fromTar } from "../../src/trees/tar/mod.ts";
import { fromZip } from "../../src/trees/zip/mod.ts";

type Tree = FileSystem<object>;

const TREES: Record<string, (source: string) => Promise<unknown>> = {
  node: (root) => Promise.resolve(fromNodeFs(nodeFs, { root })),
  memfs: async () => fromNodeFs((await import("memfs")).memfs().fs),
  zenfs: async () => fromNodeFs((await import("@zenfs/core")).fs),
  zip: async (path) => await fromZip(await nodeFs.openAsBlob(path)),
  tar: async (path) => await fromTar(await nodeFs.openAsBlob(path)),
  /** An archive, with changes in the directory SOURCE.changes. */
  overlay: async (path) =>
    overlay(
      await fromTar(await nodeFs.openAsBlob(path)),
      fromNodeFs(nodeFs, { root: `${path}.changes` }),
    ),
};

const [kind, source, mountpoint] = Deno.args;
const tree = await TREES[kind!]!(source!) as Tree;
const session = await mountFileSystem(tree, mountpoint!, { signals: true });
// deno-lint-ignore no-console
console.log("Serving");
const { clean, problems } = await session.closed;
// deno-lint-ignore no-console
for (const problem of problems) console.error(problem);
Deno.exitCode = clean ? 0 : 1;
