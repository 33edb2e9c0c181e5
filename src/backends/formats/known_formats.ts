/**
 * What the first bytes of a file look like. They never decide how the file is
 * opened: a program in a virtual machine may write any bytes to the start of its
 * disk.
 *
 * @module
 */

/** A format that can be told by its first bytes. */
export interface KnownFormat {
  /** Its name. */
  readonly name: string;
  /** The prefix of the sources that open it; `null` if no driver does. */
  readonly prefix: string | null;
}

/** How many bytes {@linkcode looksLike} needs. */
export const MAGIC_BYTES = 512;

interface Magic extends KnownFormat {
  /** Where the magic is. */
  readonly at: number;
  /** Its bytes, as characters from U+0000 to U+00FF. */
  readonly bytes: string;
}

const MAGICS: readonly Magic[] = [
  { name: "qcow2", prefix: "qcow2:", at: 0, bytes: "QFI\xfb\0\0\0\x02" },
  { name: "qcow2", prefix: "qcow2:", at: 0, bytes: "QFI\xfb\0\0\0\x03" },
  { name: "qcow", prefix: null, at: 0, bytes: "QFI\xfb\0\0\0\x01" },
  { name: "QED", prefix: null, at: 0, bytes: "QED\0" },
  { name: "VMDK", prefix: "vmdk:", at: 0, bytes: "KDMV" },
  { name: "VMDK", prefix: "vmdk:", at: 0, bytes: "COWD" },
  { name: "VMDK", prefix: "vmdk:", at: 0, bytes: "# Disk DescriptorFile" },
  { name: "VHDX", prefix: "vhdx:", at: 0, bytes: "vhdxfile" },
  { name: "VHD", prefix: "vhd:", at: 0, bytes: "conectix" },
  { name: "VDI", prefix: null, at: 64, bytes: "\x7f\x10\xda\xbe" },
  { name: "Parallels", prefix: null, at: 0, bytes: "WithoutFreeSpace" },
  { name: "Parallels", prefix: null, at: 0, bytes: "WithouFreSpacExt" },
  { name: "E01", prefix: null, at: 0, bytes: "EVF\x09\x0d\x0a\xff\0" },
];

/**
 * The format that some bytes look like the start of.
 *
 * @param bytes The first {@linkcode MAGIC_BYTES} of a file, or all of it.
 * @returns `null` if they look like none.
 */
export function looksLike(bytes: Uint8Array): KnownFormat | null {
  const isThere = ({ at, bytes: magic }: Magic) =>
    [...magic].every((character, i) =>
      bytes[at + i] === character.charCodeAt(0)
    );
  return MAGICS.find(isThere) ?? null;
}

/**
 * What to tell a user who exports a file of another format as raw.
 *
 * @param format What it looks like.
 * @param name Its name.
 */
export function rawNotice(
  { name: format, prefix }: KnownFormat,
  name: string,
): string {
  const how = prefix === null
    ? `convert it with 'qemu-img convert -O qcow2' and export the result`
    : `export ${prefix}${name}`;
  return `${name} looks like an image in the format ${format}, but it is exported as a raw image; to export the disk in it, ${how}`;
}
