import { errnoName } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import type { Backend } from "../backend.ts";
import { readFully } from "../read_fully.ts";

/** One partition of a disk. Plain data; offset and size in bytes. */
export interface Partition {
  /** Its number, as the kernel gives it: logical ones start at 5. */
  readonly number: number;
  readonly offset: number;
  readonly size: number;
  /** Its type as the table has it: two hexadecimal digits, or a UUID. */
  readonly type: string;
  /** What that type is called; `null` if unknown. */
  readonly typeName: string | null;
  /** Its name; `null` without one. MBR has no names. */
  readonly name: string | null;
  /** Its UUID as in /dev/disk/by-partuuid; `null` if it has none. */
  readonly uuid: string | null;
  /** Whether it only holds the logical partitions. */
  readonly isExtended: boolean;
}

/** The partition table of a disk. Plain data. */
export interface PartitionTable {
  readonly kind: "mbr" | "gpt";
  /** The unit of its positions: 512 or 4096 bytes. */
  readonly sectorSize: number;
  /** In the order of their numbers. */
  readonly partitions: readonly Partition[];
  /** What is wrong with it, as sentences without an end. */
  readonly remarks: readonly string[];
}

/** A disk whose table is read. */
export interface PartitionedDisk {
  readonly image: Backend;
  /** Its name in errors. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
}

/**
 * Reads a part of a table.
 *
 * @returns The bytes: fewer only where the disk ends.
 * @throws {UserError} If they cannot be read.
 */
export async function readTable(
  { image, name, size }: PartitionedDisk,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const there = Math.max(0, Math.min(length, size - position));
  const bytes = new Uint8Array(there);
  const got = await readFully(image, position, bytes, 0, there);
  if (got >= 0) return bytes.subarray(0, got);
  throw new UserError(
    `Cannot read the partition table of ${name}: its bytes at ${position} cannot be read (${
      errnoName(-got)
    }); check the image and its storage`,
  );
}
