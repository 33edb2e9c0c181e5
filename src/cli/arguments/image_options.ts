/**
 * The options of commands that make and change images: a part of the table of
 * options.
 *
 * @module
 */

/** Rows of the table of options. */
export const IMAGE_OPTIONS = {
  "cluster-size": {
    value: "SIZE",
    help: "the size of a cluster, 512 to 2M (default: 64k)",
  },
  "extended-l2": {
    help:
      "divide each cluster into 32 subclusters: less is copied from a backing image for small writes; the cluster size is 16k or more",
  },
  preallocation: {
    value: "off|metadata|falloc|full",
    help:
      "reserve nothing; tables; tables and space; or write zeroes (default: off)",
  },
  compress: {
    value: "zlib|zstd",
    help:
      "compress clusters: zlib is read by every program, zstd is faster (default: not)",
  },
  verify: {
    help: "read what was written, and compare it with the source",
  },
  force: {
    help: "replace a file that is there",
  },
  since: {
    value: "NAME",
    help:
      "with --backing, a copy of this internal snapshot of SOURCE: look only at what has changed since then, or up to --snapshot",
  },
  keep: {
    help: "leave in the image what was committed",
  },
  "no-backing": {
    help: "make the image independent: it has all that it shows",
  },
  unsafe: {
    help:
      "only change the name: compare and copy nothing; the image shows something else if the new backing file has other bytes",
  },
  shrink: {
    help: "allow a smaller size: what follows it is lost",
  },
  workers: {
    value: "N",
    help:
      "copy by up to N threads at once (default: one for each CPU, at most 8)",
  },
  "data-file": {
    value: "PATH",
    help:
      "put the data into a new file at PATH, and only the tables into the image",
  },
} as const;
