import { ERRNO } from "../../../../base/errno.ts";
import type { Answer } from "../../../backend.ts";
import { MAPPED, Mapping } from "../../../mapped/mapping.ts";
import { ClusterMemory } from "./cluster_memory.ts";
import { mapSteps } from "./map_steps.ts";
import type { NewClusters } from "./new_clusters.ts";
import { fully, type Steps } from "./steps.ts";
import type { WritableParts } from "./writable_parts.ts";

/** Fills clusters that were allocated, before they are part of the disk. */
export class NewClusterData {
  readonly #image: WritableParts;
  readonly #memory: ClusterMemory;

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
    const head = yield* this.#bytesBefore(clusters, clusters.from, position);
    if (head < 0) return head;
    const tail = yield* this.#bytesBefore(clusters, end, clusters.to);
    if (tail < 0) return tail;
    if (head === 0 && tail === 0) {
      return yield* this.#put(clusters, position, buffer, start, length);
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
        return yield* this.#put(clusters, position - head, bytes, 0, all);
      }
      let error = yield* this.#copy(clusters, position - head, head, bytes);
      if (error < 0) return error;
      error = yield* this.#put(clusters, position, buffer, start, length);
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
  *#bytesBefore(
    { areUnused }: NewClusters,
    from: number,
    to: number,
  ): Steps {
    if (from >= to) return 0;
    const { image, size } = { image: this.#image, size: to - from };
    if (!areUnused) return size;
    const { state: { epochs } } = image;
    const mapping = new Mapping();
    const counter = epochs.enter();
    let error;
    try {
      error = yield* mapSteps(image, from, size, mapping);
    } finally {
      epochs.leave(counter);
    }
    if (error < 0) return error;
    const isBelow = mapping.kind === MAPPED.UNALLOCATED &&
      (image.backing === null || from >= image.backing.size);
    const isZero = mapping.kind === MAPPED.ZERO || isBelow;
    return isZero && mapping.length === size ? 0 : size;
  }

  /** Copies what the disk has in a range to the new clusters. */
  *#copy(
    clusters: NewClusters,
    from: number,
    size: number,
    bytes: Uint8Array,
  ): Steps {
    const error = yield* this.#readBefore(from, size, bytes, 0);
    if (error < 0) return error;
    return yield* this.#put(clusters, from, bytes, 0, size);
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
      const error = yield* this.#readBefore(position - head, all, bytes, 0);
      if (error >= 0) return error;
      // What cannot be read may be what is written now.
    }
    const error = yield* this.#readBefore(position - head, head, bytes, 0);
    if (error < 0) return error;
    const end = position + length;
    return yield* this.#readBefore(end, tail, bytes, head + length);
  }

  #readBefore(
    from: number,
    size: number,
    bytes: Uint8Array,
    at: number,
  ): Steps {
    const read = (done: number): Answer =>
      this.#image.read(from + done, bytes, at + done, size - done);
    return fully(read, size, -ERRNO.EIO);
  }

  *#put(
    { host, guest }: NewClusters,
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Steps {
    const { data } = this.#image;
    const at = host + position - guest;
    const write = (done: number) =>
      data.write(at + done, buffer, start + done, length - done);
    return yield* fully(write, length, -ERRNO.ENOSPC);
  }
}
