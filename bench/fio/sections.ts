/** A part of the fio measurement: what is exported, and by which loads. */
export type Section =
  | "null"
  | "tmpfs"
  | "disk"
  | "sequential"
  | "nbd"
  | Qcow2Section;

/** The sections that export an image in QEMU's format. */
export type Qcow2Section =
  | "qcow2"
  | "qcow2-tables"
  | "qcow2-deflate"
  | "qcow2-zstd"
  | "qcow2-allocate"
  | "qcow2-backing";

/** What reports say of a section. */
export interface SectionText {
  readonly title: string;
  readonly unit: string;
}

const UNIT = "thousand IOPS";

/** Titles and units of the sections, in the order of their measurement. */
export const SECTIONS: Readonly<Record<Section, SectionText>> = {
  null: { title: "Null driver, 4 KiB", unit: UNIT },
  tmpfs: { title: "Raw file on tmpfs, 4 KiB", unit: UNIT },
  disk: {
    title: "Raw file on a disk, in its page cache, 4 KiB",
    unit: UNIT,
  },
  sequential: {
    title: "Sequential, raw file in the page cache",
    unit: "MiB/s",
  },
  nbd: { title: "Memory of an NBD server, 4 KiB", unit: UNIT },
  qcow2: {
    title: "qcow2 on tmpfs, all clusters allocated, 4 KiB",
    unit: UNIT,
  },
  "qcow2-tables": {
    title: "qcow2 with tables four times the cache, 4 KiB",
    unit: UNIT,
  },
  "qcow2-deflate": { title: "qcow2 compressed by deflate, 4 KiB", unit: UNIT },
  "qcow2-zstd": { title: "qcow2 compressed by zstd, 4 KiB", unit: UNIT },
  "qcow2-allocate": {
    title: "qcow2, writes that allocate, 4 KiB",
    unit: UNIT,
  },
  "qcow2-backing": {
    title: "qcow2, writes that allocate over a backing file, 4 KiB",
    unit: UNIT,
  },
};
