import { ERRNO, errnoName } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import type { Answer, Backend, Extent, ImageStat } from "../backend.ts";
import { ImageBackend } from "../image_backend.ts";
import type { ImageSnapshots } from "../image_snapshots.ts";
import { type ImageRange, type MappedBackend, rangeAt } from "../image_map.ts";
import { sectorEnd } from "../size.ts";
import { MAPPED, Mapping, NO_HOST } from "./mapping.ts";
import { mapLater } from "./map_later.ts";
import { ReadOperation } from "./read_operation.ts";
import { notAtEnd, type ReadSources } from "./read_sources.ts";

/** Mappings that one call of `extent()` puts together at most. */
const MAPPINGS_MAX = 1024;

/** What a {@linkcode MappedImage} is made of. */
export interface MappedParts extends ReadSources {
  /** The image's name in messages. */
  readonly name: string;
  /** The size of the disk. */
  readonly size: number;
  /** Its internal snapshots; left out if its format has none. */
  readonly snapshots?: ImageSnapshots;
}

/**
 * An image whose format says where each range is, read by one thread. Space and
 * times are those of its first file.
 */
export class MappedImage extends ImageBackend implements MappedBackend {
  override readonly shared = true;
  readonly background: boolean;
  readonly snapshots?: ImageSnapshots;
  readonly #from: MappedParts;
  /** The mapping of a read that is answered without an operation. */
  readonly #mapping = new Mapping();
  readonly #idle: ReadOperation[] = [];

  /** Puts an image together. Its owner closes the files after it. */
  constructor(parts: MappedParts) {
    super(parts.name);
    this.#from = parts;
    this.background = [...parts.files, parts.backing].some((each) =>
      each?.backend.background === true
    );
    if (parts.snapshots !== undefined) this.snapshots = parts.snapshots;
  }

  /** The size of the disk in bytes. */
  get size(): number {
    return this.#from.size;
  }

  override stat(): Answer<ImageStat> {
    const { clusterSize, files } = this.#from;
    const { size } = this;
    const statOf = ({ allocated, times }: ImageStat) => {
      return { size, allocated, blockSize: clusterSize, times };
    };
    const stat = files[0]!.backend.stat();
    return "then" in stat ? stat.then(statOf) : statOf(stat);
  }

  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const { lookup, files, backing } = this.#from;
    const mapping = this.#mapping;
    if (length === 0) return 0;
    if (lookup.map(position, length, mapping) && mapping.length === length) {
      const { kind, host } = mapping;
      if (kind === MAPPED.DATA) {
        const { backend, end } = files[mapping.file]!;
        if (host + length <= end) {
          return notAtEnd(backend.read(host, buffer, start, length));
        }
      }
      const isBelow = kind === MAPPED.UNALLOCATED && backing !== null;
      if (kind === MAPPED.ZERO || (kind === MAPPED.UNALLOCATED && !isBelow)) {
        buffer.fill(0, start, start + length);
        return length;
      }
      if (isBelow && position + length <= backing.size) {
        return notAtEnd(backing.backend.read(position, buffer, start, length));
      }
    }
    const operation = this.#idle.pop() ??
      new ReadOperation(this.#from, this.#idle);
    return operation.read(position, buffer, start, length);
  }

  queueEnded(queue: number): void {
    const { lookup, backing } = this.#from;
    lookup.queueEnded(queue);
    backing?.backend.queueEnded?.(queue);
  }

  override async extent(position: number): Promise<Extent> {
    const first = await this.#extentAt(position);
    let { end } = first;
    for (let i = 1; i < MAPPINGS_MAX && end < this.size; i++) {
      const next = await this.#extentAt(end);
      if (next.data !== first.data) break;
      end = next.end;
    }
    return { data: first.data, end };
  }

  /** What the disk is made of at a position, in this image or one below. */
  async rangeAt(position: number): Promise<ImageRange> {
    const { backing } = this.#from;
    const mapping = await this.#mappingAt(position);
    const { kind, host } = mapping;
    if (kind === MAPPED.CORRUPT) throw tableError(this.name, -ERRNO.EIO);
    const isBelow = kind === MAPPED.UNALLOCATED && backing !== null &&
      position < mappedEnd(backing);
    if (isBelow) {
      const below = await rangeAt(backing.backend, position);
      const least = Math.min(mapping.length, below.length);
      return { ...below, length: least, depth: below.depth + 1 };
    }
    const stored = await this.#storedAt(mapping);
    const data = kind === MAPPED.DATA
      ? stored.data
      : kind === MAPPED.COMPRESSED;
    const hasPlace = kind !== MAPPED.COMPRESSED && host !== NO_HOST;
    return {
      start: position,
      length: stored.end,
      depth: 0,
      present: kind !== MAPPED.UNALLOCATED,
      zero: !data,
      data,
      compressed: kind === MAPPED.COMPRESSED,
      offset: hasPlace ? host : null,
    };
  }

  /** The extent of one mapping, at most to the end of the disk. */
  async #extentAt(position: number): Promise<Extent> {
    const { backing } = this.#from;
    const mapping = await this.#mappingAt(position);
    const { kind } = mapping;
    const end = position + mapping.length;
    if (kind === MAPPED.ZERO) return { data: false, end };
    if (kind === MAPPED.DATA) {
      const stored = await this.#storedAt(mapping);
      return { data: stored.data, end: position + stored.end };
    }
    if (kind !== MAPPED.UNALLOCATED) return { data: true, end };
    if (backing === null || position >= backing.size) {
      return { data: false, end };
    }
    const below = await backing.backend.extent(position);
    return { data: below.data, end: Math.min(end, below.end, backing.size) };
  }

  /** Whether a file has bytes where a mapping starts, and for how many bytes. */
  async #storedAt({ kind, file, host, length }: Mapping): Promise<Extent> {
    const { hasHoles, backend } = this.#from.files[file] ?? {};
    if (kind !== MAPPED.DATA || hasHoles !== true) {
      return { data: true, end: length };
    }
    const { data, end } = await backend!.extent(host);
    return { data, end: Math.min(length, end - host) };
  }

  async #mappingAt(position: number): Promise<Mapping> {
    const mapping = new Mapping();
    const left = this.size - position;
    const error = await mapLater(this.#from, position, left, mapping);
    if (error < 0) throw tableError(this.name, error);
    return mapping;
  }
}

/** Where the map of an image below ends. */
function mappedEnd({ backend, size }: { backend: Backend; size: number }) {
  return "rangeAt" in backend ? size : sectorEnd(size);
}

function tableError(name: string, error: number): Error {
  const message = `Cannot read a table of ${name} (${
    errnoName(-error)
  }): a part of the file is missing or damaged; compare it with its source`;
  return Object.assign(new UserError(message), { errno: -error });
}
