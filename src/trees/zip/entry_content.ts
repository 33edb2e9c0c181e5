import { Errno } from "../../base/errno.ts";
import { messageOf } from "../../base/message_of.ts";
import { andThen } from "../../filesystem/answer.ts";
import type { May } from "../../filesystem/file_system.ts";
import { pullStream } from "../archive/pull_stream.ts";
import type { StreamBudget } from "../archive/stream_budget.ts";
import { StreamContent, WINDOW } from "../archive/stream_content.ts";
import { type ByteSource, readRange } from "../byte_source.ts";
import type { Content } from "../static_node.ts";
// @ts-types="./zip_library.d.ts"
import type { ZipEntry } from "./zip_library.js";

/** Compression methods: APPNOTE.TXT 4.4.5. */
const METHOD = { STORED: 0, DEFLATED: 8 } as const;

/** The local file header, APPNOTE.TXT 4.3.7: its size, and where lengths lie. */
const LOCAL_HEADER = { SIZE: 30, NAME_LENGTH: 26, EXTRA_LENGTH: 28 } as const;

/** What a file of an archive holds. */
export function contentOf(
  entry: ZipEntry,
  source: ByteSource,
  budget: StreamBudget,
): Content {
  const { compressionMethod, encrypted, uncompressedSize: size } = entry;
  const isStored = compressionMethod === METHOD.STORED && !encrypted;
  if (isStored && size > WINDOW) return new StoredContent(entry, source);
  return new StreamContent(() => openEntry(entry), size, budget);
}

function openEntry(entry: ZipEntry): ReadableStream<Uint8Array> {
  const { compressionMethod, encrypted } = entry;
  const methods: readonly number[] = Object.values(METHOD);
  if (!methods.includes(compressionMethod)) throw new Errno("EOPNOTSUPP");
  return pullStream(async (to, signal) => {
    try {
      await entry.getData!(to, { signal });
    } catch (error) {
      // The library tells of no other error that has to do with passwords.
      if (encrypted && /password|encrypted/i.test(messageOf(error))) {
        throw new Errno("EACCES", messageOf(error));
      }
      throw error;
    }
  });
}

/** A file that is not compressed, read by ranges. */
class StoredContent implements Content {
  readonly #entry: ZipEntry;
  readonly #source: ByteSource;
  #start: number | null = null;

  constructor(entry: ZipEntry, source: ByteSource) {
    this.#entry = entry;
    this.#source = source;
  }

  read(into: Uint8Array, offset: number): May<number> {
    const rest = this.#entry.uncompressedSize - offset;
    if (rest <= 0) return 0;
    const part = into.subarray(0, Math.min(into.length, rest));
    if (this.#start !== null) return this.#read(part, this.#start + offset);
    return this.#findStart().then((start) => this.#read(part, start + offset));
  }

  #read(part: Uint8Array, position: number): May<number> {
    return andThen(this.#source.read(part, position), (read) => {
      if (read < part.length) throw new Errno("EIO");
      return read;
    });
  }

  async #findStart(): Promise<number> {
    const { offset } = this.#entry;
    const header = await readRange(this.#source, offset, LOCAL_HEADER.SIZE);
    const view = new DataView(header.buffer);
    const name = view.getUint16(LOCAL_HEADER.NAME_LENGTH, true);
    const extra = view.getUint16(LOCAL_HEADER.EXTRA_LENGTH, true);
    return this.#start = offset + LOCAL_HEADER.SIZE + name + extra;
  }
}
