/**
 * Formats by what files of them begin or end with. They never decide how the file is
 * opened: a program in a virtual machine may write any bytes to the start of its
 * disk.
 *
 * @module
 */

/** A format that can be told by what is in a file. */
export interface KnownFormat {
  /** Its name. */
  readonly name: string;
  /** The prefix of the sources that open it; `null` if no driver does. */
  readonly prefix: string | null;
  /** What is after the path in those sources; nothing if left out. */
  readonly suffix?: string;
  /** What the file is; an image in the format if left out. */
  readonly kind?: string;
  /** What to do if no driver opens it; that qemu-img converts it if left out. */
  readonly advice?: string;
}

/** How many bytes {@linkcode looksLike} needs. */
export const MAGIC_BYTES = 512;

interface Magic extends KnownFormat {
  /** Where the magic is; before the end of the file if it is negative. */
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
  {
    name: "VMDK",
    prefix: null,
    kind: "an extent of a VMDK image in the format SESPARSE",
    advice: "convert the image by its descriptor with 'qemu-img convert'",
    at: 0,
    bytes: "\xbe\xba\xfe\xca\0\0\0\0",
  },
  { name: "VHDX", prefix: "vhdx:", at: 0, bytes: "vhdxfile" },
  { name: "VHD", prefix: "vhd:", at: 0, bytes: "conectix" },
  { name: "VDI", prefix: null, at: 64, bytes: "\x7f\x10\xda\xbe" },
  { name: "Parallels", prefix: null, at: 0, bytes: "WithoutFreeSpace" },
  { name: "Parallels", prefix: null, at: 0, bytes: "WithouFreSpacExt" },
  { name: "Bochs", prefix: null, at: 0, bytes: "Bochs Virtual HD Image" },
  { name: "cloop", prefix: null, at: 0, bytes: "#!/bin/sh\n#V2.0 Format\n" },
  {
    name: "E01",
    prefix: null,
    advice: "make a raw image of it, as 'ewfexport -f raw' does",
    at: 0,
    bytes: "EVF\x09\x0d\x0a\xff\0",
  },
  packed("gzip", "\x1f\x8b\x08", "gzip -d"),
  packed("xz", "\xfd7zXZ\0", "xz -d"),
  packed("bzip2", "BZh", "bzip2 -d"),
  packed("zip", "PK\x03\x04", "unzip"),
  { name: "DMG", prefix: null, at: -512, bytes: "koly\0\0\0\x04" },
];

/** What is not an image by itself. */
function packed(name: string, bytes: string, command: string): Magic {
  const advice = `unpack it with '${command}'`;
  return { name, prefix: null, kind: `a ${name} file`, advice, at: 0, bytes };
}

/**
 * The format that the first and last bytes of a file belong to.
 *
 * @param start The first {@linkcode MAGIC_BYTES} of a file, or all of it.
 * @param end The last {@linkcode MAGIC_BYTES}, or all of it.
 * @returns `null` if they belong to none.
 */
export function looksLike(
  start: Uint8Array,
  end: Uint8Array = new Uint8Array(0),
): KnownFormat | null {
  const isThere = ({ at, bytes: magic }: Magic) => {
    const bytes = at < 0 ? end : start;
    const from = at < 0 ? at + end.length : at;
    return [...magic].every((character, i) =>
      bytes[from + i] === character.charCodeAt(0)
    );
  };
  const found = MAGICS.find(isThere);
  if (found === undefined) return null;
  const { at: _, bytes: __, ...format } = found;
  return format;
}

/**
 * The source that shows the disk in a file.
 *
 * @returns `null` if no driver opens it.
 */
export function sourceOf(
  { prefix, suffix = "" }: KnownFormat,
  path: string,
): string | null {
  return prefix === null ? null : `${prefix}${path}${suffix}`;
}

/** What to do with a file that no driver opens. */
export function adviceOn({ advice }: KnownFormat): string {
  return advice ?? "convert it with 'qemu-img convert -O qcow2'";
}

/**
 * What to tell a user who exports a file of another format as raw.
 *
 * @param format What it looks like.
 * @param name Its name.
 */
export function rawNotice(format: KnownFormat, name: string): string {
  const source = sourceOf(format, name);
  const how = source === null
    ? `${adviceOn(format)} and export the result`
    : `export ${source}`;
  const kind = format.kind ?? `an image in the format ${format.name}`;
  return `${name} looks like ${kind}, but it is exported as a raw image; to export the disk in it, ${how}`;
}
