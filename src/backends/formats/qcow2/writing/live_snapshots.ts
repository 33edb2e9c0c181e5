import { UserError } from "../../../../base/user_error.ts";
import type { Answer } from "../../../backend.ts";
import type {
  ImageSnapshot,
  ImageSnapshots,
  LiveSnapshotAction,
} from "../../../image_snapshots.ts";
import { changeSnapshots } from "../snapshots/change_snapshots.ts";
import type { ClusterRange } from "../snapshots/new_metadata.ts";
import { storedSnapshots } from "../stored_snapshots.ts";
import { reloadTables } from "./reload_tables.ts";
import type { WritableParts } from "./writable_parts.ts";
import { DIRTY_BIT } from "./write_state.ts";

/** Looks for a moment in which the file has all tables. */
const LOOKS = 100;

/** The parts of an image whose snapshots are changed while it is used. */
export interface LiveParts extends WritableParts {
  /** Its name in errors. */
  readonly name: string;
  /** Writes all tables to the file, also those that are written late. */
  settle(): Answer;
}

/**
 * The snapshots of an image that several threads read. They are changed as those
 * of an image that is not exported: one write to the header replaces the old
 * tables by new ones, which all threads then take over into their memory. What
 * only the old tables refer to is given back like any cluster that a write has
 * freed: once no request can read from it.
 */
export class LiveSnapshots implements ImageSnapshots {
  readonly #image: LiveParts;

  /** Changes the snapshots of an image. */
  constructor(image: LiveParts) {
    this.#image = image;
  }

  list(): Promise<readonly ImageSnapshot[]> {
    const { tableFile: { file }, name } = this.#image;
    return storedSnapshots(file, name).list();
  }

  async change(
    action: LiveSnapshotAction,
    snapshot: string,
    timeMs: number,
  ): Promise<void> {
    const { state } = this.#image;
    await this.#lockSettled(action);
    let dropped: readonly ClusterRange[];
    try {
      dropped = await this.#changeLocked(action, snapshot, timeMs);
    } finally {
      state.tables.unlock();
      state.flush.unlock();
    }
    await this.#giveBack(dropped);
  }

  /** Takes both locks at a moment when the file has all tables. */
  async #lockSettled(action: string): Promise<void> {
    const { state, name } = this.#image;
    const why = `Cannot ${action} a snapshot of ${name}`;
    for (let look = 0; look < LOOKS; look++) {
      if (await this.#image.settle() < 0) break;
      await state.flush.lock();
      await state.tables.lock();
      if (!this.#isDirty) {
        if (!state.refusesChanges || state.isUnchanged) return;
        state.tables.unlock();
        state.flush.unlock();
        throw new UserError(
          `${why}: it is damaged, and not changed any more; end the export, and check it`,
        );
      }
      // A flush of another thread has given clusters back meanwhile.
      state.tables.unlock();
      state.flush.unlock();
    }
    throw new UserError(
      `${why}: its tables cannot be written; check its storage`,
    );
  }

  get #isDirty(): boolean {
    const { disk, refcounts, state } = this.#image;
    return disk.cache.dirtyCount > 0 || refcounts.cache.dirtyCount > 0 ||
      state.isDirty("L1") || state.isDirty("TABLE") ||
      state.get("DIRTY_BIT") !== DIRTY_BIT.CLEAR;
  }

  async #changeLocked(
    action: LiveSnapshotAction,
    snapshot: string,
    timeMs: number,
  ): Promise<readonly ClusterRange[]> {
    const { state, tableFile: { file }, name } = this.#image;
    let isOpen = false;
    const use = { committing: () => void (isOpen = true) };
    try {
      const dropped = await changeSnapshots(
        file,
        name,
        action,
        snapshot,
        timeMs,
        use,
      );
      await reloadTables(this.#image, name);
      return dropped;
    } catch (error) {
      if (!isOpen) throw error;
      // The file may have the new tables, or not; memory has the old ones.
      state.setFailed();
      throw new UserError(
        `${
          (error as Error).message
        }; it is not changed any more: end the export, and check it`,
        { cause: error },
      );
    } finally {
      await this.#noteEnd();
    }
  }

  /** Notes which clusters of the file may have bytes now. */
  async #noteEnd(): Promise<void> {
    const { state, tableFile: { file }, geometry } = this.#image;
    const { size } = await file.stat();
    const clusters = Math.floor(size / geometry.clusterSize);
    for (const word of ["UNUSED_FROM", "FILE_CLUSTERS"] as const) {
      if (clusters > state.get(word)) state.set(word, clusters);
    }
  }

  async #giveBack(ranges: readonly ClusterRange[]): Promise<void> {
    const { state: { tables, freed }, refcounts, flush } = this.#image;
    for (const { first, count } of ranges) {
      // Its error is told to clients by their next flush.
      if (freed.isCrowded) await flush();
      await tables.lock();
      refcounts.release(first, count);
      tables.unlock();
    }
  }
}
