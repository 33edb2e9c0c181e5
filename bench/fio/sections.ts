/** A part of the fio measurement: what is exported, and by which loads. */
export type Section = "null" | "tmpfs" | "disk" | "sequential";

/** What reports say of a section. */
export interface SectionText {
  readonly title: string;
  readonly unit: string;
}

/** Titles and units of the sections. */
export const SECTIONS: Readonly<Record<Section, SectionText>> = {
  null: { title: "Null driver, 4 KiB", unit: "thousand IOPS" },
  tmpfs: { title: "Raw file on tmpfs, 4 KiB", unit: "thousand IOPS" },
  disk: {
    title: "Raw file on a disk, in its page cache, 4 KiB",
    unit: "thousand IOPS",
  },
  sequential: {
    title: "Sequential, raw file in the page cache",
    unit: "MiB/s",
  },
};
