import { UserError } from "../../base/user_error.ts";
import type { Backend } from "../backend.ts";
import { fileSystemAt } from "./file_system.ts";
import { readGpt } from "./gpt.ts";
import {
  type Mbr,
  MBR_BYTES,
  type MbrPartitions,
  mbrPartitions,
  parseMbr,
} from "./mbr.ts";
import {
  type Partition,
  type PartitionedDisk,
  type PartitionTable,
  readTable,
} from "./partition_table.ts";

/**
 * Reads the partition table of a disk: a GPT if the first sector says that there
 * is one, or has no table itself.
 *
 * @param image The disk.
 * @param name Its name in errors.
 * @returns `null` if it has none.
 * @throws {UserError} If it cannot be read, or no copy of a GPT is sound.
 */
export async function readPartitions(
  image: Backend,
  name: string,
): Promise<PartitionTable | null> {
  const { size } = await image.stat();
  const disk: PartitionedDisk = { image, name, size };
  const mbr = parseMbr(await readTable(disk, 0, MBR_BYTES));
  if (mbr === null || mbr.isProtective) {
    const gpt = await readGpt(disk);
    if (gpt !== null && "damage" in gpt) throw unusable(name, gpt.damage);
    if (gpt === null && mbr !== null) {
      const why = "the MBR says that there is a GPT, and neither copy is there";
      throw unusable(name, why);
    }
    if (gpt !== null) {
      const unprotected = "the disk has no protective MBR";
      return withRemarks(disk, gpt, mbr === null ? [unprotected] : []);
    }
  }
  return mbr === null ? null : await mbrTable(disk, mbr);
}

function unusable(name: string, why: string): UserError {
  return new UserError(
    `Cannot use the partition table of ${name}: ${why}; repair a copy of the disk with 'sgdisk' or 'testdisk', or give --offset and --size`,
  );
}

/**
 * The table of an MBR. It does not say how large sectors are: they have 512 bytes,
 * unless something is found only where sectors of 4096 bytes put it.
 */
async function mbrTable(
  disk: PartitionedDisk,
  mbr: Mbr,
): Promise<PartitionTable> {
  const table = ({ partitions, remarks }: MbrPartitions, sectorSize: number) =>
    withRemarks(disk, { kind: "mbr", sectorSize, partitions, remarks }, []);
  const small = await mbrPartitions(disk, mbr, 512);
  if (await hasContent(disk, small)) return table(small, 512);
  const large = await mbrPartitions(disk, mbr, 4096);
  const isLarge = large.partitions.every((each) => endOf(each) <= disk.size) &&
    await hasContent(disk, large);
  return isLarge ? table(large, 4096) : table(small, 512);
}

/** Whether something known starts where a partition does. */
async function hasContent(
  disk: PartitionedDisk,
  { partitions }: MbrPartitions,
): Promise<boolean> {
  for (const each of partitions) {
    if (each.number > 4 || await fileSystemAt(disk, each) !== null) return true;
  }
  return false;
}

/** Adds what is wrong with the places of partitions. */
function withRemarks(
  { size }: PartitionedDisk,
  table: PartitionTable,
  more: readonly string[],
): PartitionTable {
  const remarks = [...table.remarks, ...more];
  const places = table.partitions.filter(({ isExtended }) => !isExtended)
    .toSorted((one, other) => one.offset - other.offset);
  let last: Partition | null = null;
  for (const each of places) {
    if (endOf(each) > size) {
      remarks.push(
        `partition ${each.number} ends at byte ${
          endOf(each)
        }, beyond the end of the disk at ${size}`,
      );
    }
    if (last !== null && each.offset < endOf(last)) {
      remarks.push(`partitions ${last.number} and ${each.number} overlap`);
    }
    if (last === null || endOf(each) > endOf(last)) last = each;
  }
  return { ...table, remarks };
}

function endOf({ offset, size }: Partition): number {
  return offset + size;
}
