/**
 * What the types of partitions are called, as sfdisk calls them.
 *
 * @module
 */

/** Types of MBR, by their byte. */
const MBR_TYPES: Readonly<Record<string, string>> = {
  "01": "FAT12",
  "04": "FAT16 <32M",
  "05": "Extended",
  "06": "FAT16",
  "07": "HPFS/NTFS/exFAT",
  "0b": "W95 FAT32",
  "0c": "W95 FAT32 (LBA)",
  "0e": "W95 FAT16 (LBA)",
  "0f": "W95 Ext'd (LBA)",
  "27": "Hidden NTFS WinRE",
  "82": "Linux swap",
  "83": "Linux",
  "85": "Linux extended",
  "8e": "Linux LVM",
  "a5": "FreeBSD",
  "a6": "OpenBSD",
  "a9": "NetBSD",
  "af": "HFS/HFS+",
  "ee": "GPT",
  "ef": "EFI (FAT-12/16/32)",
  "fd": "Linux raid autodetect",
};

/** Types of GPT, by their UUID. */
const GPT_TYPES: Readonly<Record<string, string>> = {
  "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI System",
  "024dee41-33e7-11d3-9d69-0008c781f39f": "MBR partition scheme",
  "21686148-6449-6e6f-744e-656564454649": "BIOS boot",
  "9e1a2d38-c612-4316-aa26-8b49521e5a8b": "PowerPC PReP boot",
  "e3c9e316-0b5c-4db8-817d-f92df00215ae": "Microsoft reserved",
  "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "Microsoft basic data",
  "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3": "Microsoft LDM metadata",
  "af9b60a0-1431-4f62-bc68-3311714a69ad": "Microsoft LDM data",
  "de94bba4-06d1-4d40-a16a-bfd50179d6ac": "Windows recovery environment",
  "e75caf8f-f680-4cee-afa3-b001e56efc2d": "Microsoft Storage Spaces",
  "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "Linux swap",
  "0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux filesystem",
  "3b8f8425-20e0-4f3b-907f-1a25a76f98e8": "Linux server data",
  "44479540-f297-41b2-9af7-d131d5f0458a": "Linux root (x86)",
  "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "Linux root (x86-64)",
  "b921b045-1df0-41c3-af44-4c6f280d3fae": "Linux root (ARM-64)",
  "8da63339-0007-60c0-c436-083ac8230908": "Linux reserved",
  "933ac7e1-2eb4-4f13-b844-0e14e2aef915": "Linux home",
  "a19d880f-05fc-4d3b-a006-743f0f84911e": "Linux RAID",
  "bc13c2ff-59e6-4262-a352-b275fd6f7172": "Linux extended boot",
  "e6d6d379-f507-44c2-a23c-238f2a3df928": "Linux LVM",
  "ca7d7ccb-63ed-4c53-861c-1742536059cc": "Linux LUKS",
  "516e7cb4-6ecf-11d6-8ff8-00022d09712b": "FreeBSD data",
  "516e7cb5-6ecf-11d6-8ff8-00022d09712b": "FreeBSD swap",
  "516e7cb6-6ecf-11d6-8ff8-00022d09712b": "FreeBSD UFS",
  "516e7cba-6ecf-11d6-8ff8-00022d09712b": "FreeBSD ZFS",
  "48465300-0000-11aa-aa11-00306543ecac": "Apple HFS/HFS+",
  "7c3457ef-0000-11aa-aa11-00306543ecac": "Apple APFS",
  "6a898cc3-1dd2-11b2-99a6-080020736631": "Solaris /usr & Apple ZFS",
};

/** The name of a type of MBR; `null` if unknown. */
export function mbrTypeName(type: string): string | null {
  return MBR_TYPES[type] ?? null;
}

/** The name of a type of GPT; `null` if unknown. */
export function gptTypeName(type: string): string | null {
  return GPT_TYPES[type] ?? null;
}
