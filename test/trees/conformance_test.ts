/**
 * The conformance suite on trees that are made of something else, with the
 * faults that libraries are known to have.
 *
 * @module
 */
import nodeFs from "node:fs";
import { assertEquals } from "@std/assert";
import {
  type ConformanceOptions,
  type ConformanceSubject,
  type Feature,
  runConformance,
} from "../../conformance/mod.ts";
import { MemoryFs } from "../../examples/memory.ts";
import { fromEntries, fromNodeFs, overlay } from "../../src/trees/mod.ts";
import { fromTar } from "../../src/trees/tar/mod.ts";
import { fromZip } from "../../src/trees/zip/mod.ts";
import { Random } from "../_random.ts";
import { missingPermission, missingRoot, testIf } from "../requirements.ts";
import { tar, zip } from "./_archives.ts";

/** What objects like `node:fs` cannot do. */
const NODE_FS_LACKS: readonly Feature[] = [
  "special files",
  "extended attributes",
  "exchange",
  "names that are not UTF-8",
];

const MILLISECOND = 1_000_000n;

/** Steps that fail, by the beginning of their names. */
async function assertConforms(
  subject: ConformanceSubject<object, unknown>,
  options: ConformanceOptions<object>,
  faults: readonly string[] = [],
): Promise<void> {
  const { failed } = await runConformance(subject, { names: 100, ...options });
  const unexpected = failed.filter(({ name }) =>
    !faults.some((fault) => name.startsWith(fault))
  );
  assertEquals(unexpected.map(({ name, error }) => `${name}: ${error}`), []);
  const failing = faults.filter((fault) =>
    failed.some(({ name }) => name.startsWith(fault))
  );
  assertEquals(failing, faults, "a known fault is gone");
}

Deno.test("literal trees and archives conform", async () => {
  const lacks = ["writing"] as const;
  const data = new Random(1).bytes(300_000);
  const tree = { a: "text", b: data, c: { d: () => "made", e: {} } };
  const entries = [{ name: "a", data: "text" }, { name: "c/d", data }];
  await assertConforms(fromEntries(tree), { lacks });
  await assertConforms(await fromTar(tar(entries)), { lacks });
  const deflated = entries.map((entry) => ({ ...entry, deflated: true }));
  await assertConforms(await fromZip(zip(deflated)), { lacks });
});

Deno.test("an overlay conforms", async () => {
  const lower = fromEntries({ etc: { hosts: "text" } });
  const make = () => overlay(lower, new MemoryFs());
  await assertConforms(make, { lacks: ["exchange"] });
});

testIf(
  missingPermission("read", "write") || missingRoot(),
  "a directory of the host by node:fs conforms, but for Deno's times before 1970",
  async () => {
    const directory = await Deno.makeTempDir();
    try {
      await Deno.chmod(directory, 0o755);
      let made = 0;
      const make = () => {
        const root = `${directory}/${++made}`;
        nodeFs.mkdirSync(root);
        return fromNodeFs(nodeFs, { root });
      };
      const lacks = NODE_FS_LACKS;
      const options = { lacks, timeGranularity: MILLISECOND };
      await assertConforms(make, options, ["utimensat(2) sets times"]);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);

testIf(
  missingPermission("sys"),
  "memfs conforms, but for directories in which a rename has replaced a file",
  async () => {
    const { memfs } = await import("memfs");
    const make = () => fromNodeFs(memfs().fs);
    const lacks = NODE_FS_LACKS;
    await assertConforms(make, { lacks, timeGranularity: MILLISECOND }, [
      "rename(2) moves a file, and replaces another one",
      "rename(2) refuses what does not fit",
      "a file that rename(2) replaces stays open",
      "random changes of names",
    ]);
  },
);

testIf(
  missingPermission("sys", "read", "env"),
  "@zenfs/core conforms, but for open files without a name, truncation, times and replaced directories",
  async () => {
    const zenfs = await import("@zenfs/core");
    const make = async () => {
      await zenfs.configure({ mounts: { "/": zenfs.InMemory } });
      return fromNodeFs(zenfs.fs);
    };
    const lacks = NODE_FS_LACKS;
    const options = { lacks, timeGranularity: MILLISECOND, faults: [] };
    await assertConforms(make, options, [
      "names with any characters are kept",
      "a file without a name is used until it is closed",
      "utimensat(2) sets times",
      "writes, truncations and new names change times",
      "rename(2) refuses what does not fit",
      "a file that rename(2) replaces stays open",
      "random reads, writes and truncations",
      "random changes of names",
    ]);
  },
);
