import { UserError } from "../../base/user_error.ts";
import type { Partition, PartitionTable } from "./partition_table.ts";

/** Partitions that an error names at most. */
const NAMED_MAX = 8;

/**
 * Finds a partition.
 *
 * @param table The table of the disk; `null` if it has none.
 * @param wanted Its number, its UUID, or its name.
 * @param disk The disk: its name in errors, and its size in bytes.
 * @throws {UserError} If there is not exactly one, or it cannot be exported.
 */
export function findPartition(
  table: PartitionTable | null,
  wanted: string,
  disk: { readonly name: string; readonly size: number },
): Partition {
  const fail = (why: string) =>
    new UserError(
      `Cannot export partition ${
        JSON.stringify(wanted)
      } of ${disk.name}: ${why}`,
    );
  if (table === null) {
    throw fail(
      "it has no partition table; leave partition out to export all of it",
    );
  }
  const found = matches(table.partitions, wanted);
  const [partition, other] = found;
  if (partition === undefined) {
    const names = listOf(table.partitions);
    throw fail(`it has ${names}; 'info' lists them`);
  }
  if (other !== undefined) {
    const numbers = found.map(({ number }) => number).join(", ");
    throw fail(
      `${found.length} have that name; use one of the numbers ${numbers}`,
    );
  }
  const { isExtended, offset, size, number } = partition;
  if (isExtended) {
    throw fail(
      "it only holds the logical partitions, which have the numbers from 5 on; use one of these",
    );
  }
  const end = offset + size;
  if (end > disk.size) {
    const why = "the image is not whole, or its table is wrong";
    throw fail(
      `partition ${number} ends at byte ${end}, and the disk at ${disk.size}: ${why}; use --offset and --size for a part of it`,
    );
  }
  return partition;
}

/** By number, else by UUID, else by name. */
function matches(all: readonly Partition[], wanted: string): Partition[] {
  const byNumber = all.filter(({ number }) => `${number}` === wanted);
  if (byNumber.length > 0) return byNumber;
  const uuid = wanted.toLowerCase();
  const byUuid = all.filter((each) => each.uuid === uuid);
  if (byUuid.length > 0) return byUuid;
  return all.filter(({ name }) => name === wanted);
}

function listOf(all: readonly Partition[]): string {
  if (all.length === 0) return "no partitions";
  const named = all.slice(0, NAMED_MAX).map(({ number, name }) =>
    name === null ? `${number}` : `${number} (${JSON.stringify(name)})`
  );
  const more = all.length > NAMED_MAX ? " and others" : "";
  return `the partitions ${named.join(", ")}${more}`;
}
