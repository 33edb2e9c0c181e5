/** Partition tables that sfdisk makes, beside what it says of them. */
import { assertEquals } from "@std/assert";
import { readPartitions } from "../../../src/backends/partitions/read_partitions.ts";
import { libc } from "../../../src/linux/syscall/libc.ts";
import { type Random, withSeeds } from "../../_random.ts";
import {
  missingPermission,
  missingProgram,
  testIf,
} from "../../requirements.ts";
import { openReal } from "../qcow2/_qemu.ts";

const MISSING = missingPermission("read", "write", "run", "env", "ffi") ||
  missingProgram("sfdisk");
const MIB = 1 << 20;
/** Seconds after which a tool that hangs is ended. */
const LIMIT_S = "30";

// Opened before the first test, so that it does not count as a leak.
if (MISSING === "") libc();

/** What `sfdisk --json` prints of a partition, in sectors. */
interface SfdiskPartition {
  readonly node: string;
  readonly start: number;
  readonly size: number;
  readonly type: string;
  readonly uuid?: string;
  readonly name?: string;
}

async function sfdisk(args: readonly string[], input: string): Promise<string> {
  const child = new Deno.Command("timeout", {
    args: [LIMIT_S, "sfdisk", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  assertEquals(success, true, `${text.decode(stderr)}\n${input}`);
  return text.decode(stdout);
}

/** A script for sfdisk: some partitions of some MiB, of some types. */
function scriptOf(kind: "dos" | "gpt", random: Random): string {
  const size = () => `size=${1 + random.below(9)}MiB`;
  const lines = [`label: ${kind}`];
  if (kind === "gpt") {
    const count = 1 + random.below(12);
    for (let i = 0; i < count; i++) {
      const type = random.pick(["linux", "swap", "uefi", "lvm", "raid"]);
      lines.push(`${size()}, type=${type}, name="part ${i} \xe9"`);
    }
    return lines.join("\n");
  }
  const primary = random.below(4);
  for (let i = 0; i < primary; i++) {
    lines.push(`${size()}, type=${random.pick(["83", "82", "c", "7", "8e"])}`);
  }
  lines.push(`type=${random.pick(["5", "f", "85"])}`);
  const logical = random.below(8);
  for (let i = 0; i < logical; i++) {
    lines.push(`${size()}, type=${random.pick(["83", "82", "fd"])}`);
  }
  return lines.join("\n");
}

for (const kind of ["dos", "gpt"] as const) {
  testIf(
    MISSING,
    `tables of ${kind} are read as sfdisk reads them`,
    () =>
      withSeeds([1, 2, 3, 4, 5, 6], async (random) => {
        const directory = await Deno.makeTempDir({ prefix: "mqfuse-sfdisk-" });
        const path = `${directory}/disk.img`;
        try {
          await Deno.writeFile(path, new Uint8Array());
          await Deno.truncate(path, 128 * MIB);
          await sfdisk(["--quiet", path], scriptOf(kind, random));
          const { partitiontable } = JSON.parse(
            await sfdisk(["--json", path], ""),
          );
          const image = await openReal(path);
          const table = await readPartitions(image.backend, path);
          await image.close();
          assertEquals(table!.remarks, []);
          assertEquals(
            table!.partitions.map((
              { number, offset, size, type, uuid, name },
            ) => [number, offset, size, type, uuid, name]),
            partitiontable.partitions.map((each: SfdiskPartition) =>
              rowOf(each, path, partitiontable.id)
            ),
          );
        } finally {
          await Deno.remove(directory, { recursive: true });
        }
      }),
  );
}

/** The same values, as the program has them. */
function rowOf(
  { node, start, size, type, uuid, name }: SfdiskPartition,
  path: string,
  diskId: string,
): unknown[] {
  const number = Number(node.slice(path.length));
  const digits = number.toString(16).padStart(2, "0");
  return [
    number,
    start * 512,
    size * 512,
    type.toLowerCase().padStart(2, "0"),
    uuid?.toLowerCase() ?? `${diskId.slice(2)}-${digits}`,
    name ?? null,
  ];
}
