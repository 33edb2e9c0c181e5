import { ERRNO } from "../../../../base/errno.ts";
import type { Answer } from "../../../backend.ts";
import { MAPPED, Mapping } from "../../../mapped/mapping.ts";
import { ClusterMemory } from "./cluster_memory.ts";
import { mapSteps } from "./map_steps.ts";
import type { NewClusters } from "./new_clusters.ts";
import { fully, type Soon, type Steps, stepsOf } from "./steps.ts";
import type { WritableParts } from "./writable_parts.ts";

/** Fills clusters that were allocated, before they are part of the disk. */
export class NewClusterData {
  readonly #image: WritableParts;
  readonly #memory: ClusterMemory;
  /** Of a range that is mapped at once. */
  readonly #mapping = new Mapping();

  /** Prepares to write to new clusters of an image. */
  constructor(image: WritableParts) {
    this.#image = image;
    this.#memory = new ClusterMemory(image.geometry.clusterSize);
  }

  /** Writes the data, and around them what was there before. */
  *write(
    clusters: NewClusters,
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Steps {
    const end = position + length;
    const before = this.#bytesBefore(clusters, clusters.from, position);
    const head = typeof before === "number" ? before : yield* before;
    if (head < 0) return head;
    const after = this.#bytesBefore(clusters, end, clusters.to);
    const tail = typeof after === "number" ? after : yield* after;
    if (tail < 0) return tail;
    if (head === 0 && tail === 0) {
      const put = this.#put(clusters, position, buffer, start, length);
      return typeof put === "number" ? put : yield* put;
    }
    const memory = this.#memory;
    const bytes = memory.take();
    try {
      if (head + length + tail <= bytes.length) {
        const error = yield* this.#readAround(
          position,
          length,
          head,
          tail,
          bytes,
        );
        if (error < 0) return error;
        bytes.set(buffer.subarray(start, start + length), head);
        const all = head + length + tail;
        const put = this.#put(clusters, position - head, bytes, 0, all);
        return typeof put === "number" ? put : yield* put;
      }
      let error = yield* this.#copy(clusters, position - head, head, bytes);
      if (error < 0) return error;
      const put = this.#put(clusters, position, buffer, start, length);
      error = typeof put === "number" ? put : yield* put;
      if (error < 0) return error;
      return yield* this.#copy(clusters, end, tail, bytes);
    } finally {
      memory.giveBack(bytes);
    }
  }

  /**
   * How many bytes of a range beside the data have to be copied: all, or none if
   * the new cluster reads as they do.
   */
  #bytesBefore({ areUnused }: NewClusters, from: number, to: number): Soon {
    if (from >= to) return 0;
    const size = to - from;
    if (!areUnused) return size;
    const mapping = this.#mapping;
    return this.#image.lookup.map(from, size, mapping)
      ? this.#readsAsNew(mapping, from, size) ? 0 : size
      : this.#mapBefore(from, size);
  }

  /** The same where the table has to be read. */
  *#mapBefore(from: number, size: number): Steps {
    const image = this.#image;
    const { epochs } = image.state;
    const mapping = new Mapping();
    const counter = epochs.enter();
    let error;
    try {
      error = yield* stepsOf(mapSteps(image, from, size, mapping));
    } finally {
      epochs.leave(counter);
    }
    if (error < 0) return error;
    return this.#readsAsNew(mapping, from, size) ? 0 : size;
  }

  /** Whether all of a range reads as zeroes, as clusters that are new do. */
  #readsAsNew({ kind, length }: Mapping, from: number, size: number): boolean {
    const { backing } = this.#image;
    const isBelow = kind === MAPPED.UNALLOCATED &&
      (backing === null || from >= backing.size);
    return (kind === MAPPED.ZERO || isBelow) && length === size;
  }

  /** Copies what the disk has in a range to the new clusters. */
  *#copy(
    clusters: NewClusters,
    from: number,
    size: number,
    bytes: Uint8Array,
  ): Steps {
    const error = yield* stepsOf(this.#readBefore(from, size, bytes, 0));
    if (error < 0) return error;
    return yield* stepsOf(this.#put(clusters, from, bytes, 0, size));
  }

  /** Reads what is beside the data: by one call if that reads few bytes more. */
  *#readAround(
    position: number,
    length: number,
    head: number,
    tail: number,
    bytes: Uint8Array,
  ): Steps {
    const isShort = head > 0 && tail > 0 && length <= head + tail;
    if (isShort) {
      const all = head + length + tail;
      const read = this.#readBefore(position - head, all, bytes, 0);
      const error = typeof read === "number" ? read : yield* read;
      if (error >= 0) return error;
      // What cannot be read may be what is written now.
    }
    const from = position - head;
    const error = yield* stepsOf(this.#readBefore(from, head, bytes, 0));
    if (error < 0) return error;
    const end = position + length;
    const read = this.#readBefore(end, tail, bytes, head + length);
    return yield* stepsOf(read);
  }

  #readBefore(
    from: number,
    size: number,
    bytes: Uint8Array,
    at: number,
  ): Soon {
    const read = (done: number): Answer =>
      this.#image.read(from + done, bytes, at + done, size - done);
    return fully(read, size, -ERRNO.EIO);
  }

  #put(
    { host, guest }: NewClusters,
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Soon {
    const { data } = this.#image;
    const at = host + position - guest;
    const write = (done: number) =>
      data.write(at + done, buffer, start + done, length - done);
    return fully(write, length, -ERRNO.ENOSPC);
  }
}
