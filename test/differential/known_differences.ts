/**
 * Where the simulator is known to differ from the real kernel.
 *
 * @module
 */

/** One difference. */
export interface KnownDifference {
  /** Why the two differ. */
  readonly reason: string;
  /** The lines of `compare()` that it explains. */
  readonly lines: RegExp;
}

const READ_AHEAD =
  "The kernel reads mapped memory ahead: one READ of the pages around the page that is used, by rules of mm/. The simulator reads that page only.";

/** The scripts that differ, by name, and why. */
export const KNOWN_DIFFERENCES: Readonly<Record<string, KnownDifference>> = {
  "read-3-mib-misaligned-memory": {
    reason:
      "The kernel counts the pages that a request's memory touches: memory that begins in the middle of a page holds less than max_pages whole ones. The simulator's memory has no addresses, so that each transfer begins at a page.",
    lines: /^request: (READ|none \| READ) /,
  },
  "copy-within": {
    reason:
      "The simulator has no copy_file_range(2): once the server has refused it with ENOSYS, the kernel copies through the page cache, whose readahead belongs to mm/ and not to FUSE.",
    lines:
      /^(request: (COPY_FILE_RANGE|COPY_FILE_RANGE_64|READ|WRITE|GETXATTR) |step \d+ copy: )/,
  },
  "map-privately": {
    reason: READ_AHEAD,
    lines: /^request: (READ|none \| READ) /,
  },
  "map-shared": { reason: READ_AHEAD, lines: /^request: (READ|none \| READ) / },
};
