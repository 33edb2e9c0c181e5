/**
 * An internal snapshot of an image.
 *
 * @category Disks of your own
 */
export interface ImageSnapshot {
  /** Its id in the image. */
  readonly id: string;
  /** Its name. */
  readonly name: string;
  /** The size of its disk in bytes. */
  readonly size: number;
  /** When it was made, in seconds since 1970. */
  readonly seconds: number;
}

/** How the snapshots of an image that is in use can be changed. */
export type LiveSnapshotAction = "create" | "delete";

/**
 * The internal snapshots of an image that is in use.
 *
 * @category Disks of your own
 */
export interface ImageSnapshots {
  /**
   * All of them, in the order in which they were made.
   *
   * @throws {UserError} If they cannot be read.
   */
  list(): Promise<readonly ImageSnapshot[]>;
  /**
   * Makes a snapshot of the disk as it is, durably, or deletes one. Left out if
   * the image is only read. The export lets no change of the disk begin
   * meanwhile, and none is under way; reads go on.
   *
   * @param snapshot The name of a new one; the id or name of another one.
   * @param timeMs The time of a new one, in milliseconds since 1970.
   * @throws {UserError} If it cannot be done.
   */
  change?(
    action: LiveSnapshotAction,
    snapshot: string,
    timeMs: number,
  ): Promise<void>;
}
