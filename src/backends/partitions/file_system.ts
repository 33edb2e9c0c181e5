/**
 * What is in a partition, told by the magic of its superblock. For information
 * only: nothing is opened by it.
 *
 * @module
 */
import { readFully } from "../read_fully.ts";
import type { Partition, PartitionedDisk } from "./partition_table.ts";

interface Magic {
  readonly name: string;
  /** Where the magic is, in bytes. */
  readonly at: number;
  /** Its bytes, as characters from U+0000 to U+00FF. */
  readonly bytes: string;
}

/** In this order: what is more than a file system comes first. */
const MAGICS: readonly Magic[] = [
  { name: "LUKS", at: 0, bytes: "LUKS\xba\xbe" },
  ...[0, 512, 1024, 1536].map((at) => ({
    name: "LVM",
    at: at + 24,
    bytes: "LVM2 001",
  })),
  { name: "Linux RAID", at: 4096, bytes: "\xfc\x4e\x2b\xa9" },
  { name: "swap", at: 4086, bytes: "SWAPSPACE2" },
  { name: "swap", at: 65_526, bytes: "SWAPSPACE2" },
  { name: "xfs", at: 0, bytes: "XFSB" },
  { name: "btrfs", at: 65_600, bytes: "_BHRfS_M" },
  { name: "ext", at: 1080, bytes: "\x53\xef" },
  { name: "ntfs", at: 3, bytes: "NTFS    " },
  { name: "exfat", at: 3, bytes: "EXFAT   " },
  { name: "vfat", at: 82, bytes: "FAT32   " },
  { name: "vfat", at: 54, bytes: "FAT16   " },
  { name: "vfat", at: 54, bytes: "FAT12   " },
  { name: "squashfs", at: 0, bytes: "hsqs" },
  { name: "f2fs", at: 1024, bytes: "\x10\x20\xf5\xf2" },
  { name: "iso9660", at: 32_769, bytes: "CD001" },
];

/** The bytes that hold every magic. */
const START_BYTES = 65_608;

/** Bits of the features of ext that its versions differ by. */
const EXT = {
  COMPAT_AT: 1116,
  INCOMPAT_AT: 1120,
  RO_COMPAT_AT: 1124,
  HAS_JOURNAL: 0x4,
  /** Features of ext3: filetype, recover, journal device, meta_bg. */
  INCOMPAT_EXT3: 0x1e,
  /** Features of ext3: sparse_super, large_file, btree_dir. */
  RO_COMPAT_EXT3: 0x7,
} as const;

/**
 * The file system or container in a part of a disk.
 *
 * @param disk The disk.
 * @param part The part, which may reach beyond its end.
 * @returns `null` if there is none that is known, or its start cannot be read.
 */
export async function fileSystemAt(
  { image, size }: Omit<PartitionedDisk, "name">,
  part: Pick<Partition, "offset" | "size">,
): Promise<string | null> {
  const position = part.offset;
  const there = Math.min(part.size, size - position, START_BYTES);
  const start = new Uint8Array(Math.max(0, there));
  const got = await readFully(image, position, start, 0, start.length);
  if (got < 0) return null;
  const name = MAGICS.find((magic) => isThere(magic, start))?.name ?? null;
  return name === "ext" ? extVersion(start) : name;
}

function isThere({ at, bytes }: Magic, start: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (start[at + i] !== bytes.charCodeAt(i)) return false;
  }
  return true;
}

/** As libblkid tells them apart: by features that an older version lacks. */
function extVersion(start: Uint8Array<ArrayBuffer>): string {
  const view = new DataView(start.buffer);
  if (start.length < EXT.RO_COMPAT_AT + 4) return "ext2";
  const isNewer =
    (view.getUint32(EXT.INCOMPAT_AT, true) & ~EXT.INCOMPAT_EXT3) !== 0 ||
    (view.getUint32(EXT.RO_COMPAT_AT, true) & ~EXT.RO_COMPAT_EXT3) !== 0;
  if (isNewer) return "ext4";
  const hasJournal =
    (view.getUint32(EXT.COMPAT_AT, true) & EXT.HAS_JOURNAL) !== 0;
  return hasJournal ? "ext3" : "ext2";
}
