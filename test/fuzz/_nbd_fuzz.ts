/**
 * The NBD client with a server that lies: fields, lengths, cookies and chunks
 * that are wrong, messages that end early, never come, or come without end.
 *
 * @module
 */
import { openImage } from "../../src/backends/open_image.ts";
import type { Backend } from "../../src/backends/backend.ts";
import { UserError } from "../../src/base/user_error.ts";
import { FakeFiles } from "../backends/_fake_files.ts";
import { imageOptions } from "../backends/_image_options.ts";
import { ModelServer } from "../backends/nbd/_model_server.ts";
import { VirtualTime } from "../backends/nbd/_virtual_time.ts";
import type { Random } from "../_random.ts";

const SIZE = 1 << 16;
const GUARD = 64;
/** Virtual time after which something hangs: an hour. */
const LIMIT_MS = 3_600_000;
/** Bytes of a message that comes again and again. */
const REPEATED_MAX = 1 << 18;

const WORDS = [0, 1, 2, 3, 5, 20, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff];
const LARGE = [0x8000_0000, 0xffff_ffff, 65_536, 65_537, 1 << 25];

/** Figures of the cases so far. */
export class NbdFuzzer {
  readonly #random: Random;
  /** Messages of servers. */
  messages = 0;
  /** Those that were damaged. */
  damaged = 0;
  /** Exports that were opened all the same, and those that were refused. */
  opened = 0;
  refused = 0;
  /** Requests that succeeded, and those that failed. */
  answered = 0;
  failed = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * Uses one server.
   *
   * @throws {Error} If the client hangs, or does anything but its work, an error
   * sentence or an errno.
   */
  async next(): Promise<void> {
    using time = new VirtualTime();
    const random = this.#random;
    const rarely = random.pick([2, 5, 20, 100]);
    let last: Uint8Array = new Uint8Array(8);
    const server = new ModelServer({
      size: SIZE,
      structured: random.oneIn(2),
      minBlock: random.pick([1, 512, 4096]),
      maxPayload: random.pick([4096, 32 << 20]),
      split: () => 1 + random.below(random.pick([4, 100_000])),
      damage: (message) => {
        this.messages++;
        const sent = random.oneIn(rarely)
          ? this.#damage(message, last)
          : message;
        last = message;
        return sent;
      },
    });
    const services = { ...new FakeFiles().services(), sockets: server };
    const reconnect = random.below(3);
    const options = { ...imageOptions, writable: true, reconnect };
    const opening = openImage("nbd://model/", options, services);
    if (!await time.until(opening, LIMIT_MS)) throw new Error("opening hangs");
    let image;
    try {
      image = await opening;
      this.opened++;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.refused++;
      return;
    }
    const { backend, stat: { size } } = image;
    const count = 1 + random.below(20);
    const all = Promise.all(
      Array.from({ length: count }, () => this.#use(backend, size)),
    );
    if (!await time.until(all, LIMIT_MS)) throw new Error("a request hangs");
    await all;
    await image.close();
  }

  /** Makes one request; every outcome but an errno or its length is wrong. */
  async #use(backend: Backend, imageSize: number): Promise<void> {
    const random = this.#random;
    const size = Math.min(imageSize, SIZE);
    const length = 1 + random.below(random.pick([16, 5000, 20_000]));
    const position = random.below(Math.max(1, size - length));
    const buffer = new Uint8Array(length + 2 * GUARD).fill(0xcc);
    const kind = random.below(5);
    if (kind === 4) {
      const { end } = await backend.extent(position);
      if (!(end > position)) throw new Error(`an extent ends at ${end}`);
      return;
    }
    const result =
      await (kind < 2
        ? backend.read(position, buffer, GUARD, length)
        : kind === 2
        ? backend.write(position, buffer, GUARD, length)
        : random.oneIn(2)
        ? backend.flush()
        : backend.zero(position, length, { unmap: random.oneIn(2) }));
    const isErrno = Number.isInteger(result) && result >= -133 && result < 0;
    if (!isErrno && !(result >= 0 && result <= length)) {
      throw new Error(`a request ended with ${result}`);
    }
    if (result < 0) this.failed++;
    else this.answered++;
    const isWhole = buffer.subarray(0, GUARD).every((byte) => byte === 0xcc) &&
      buffer.subarray(GUARD + length).every((byte) => byte === 0xcc);
    if (!isWhole) throw new Error("a reply went beyond its buffer");
  }

  #damage(message: Uint8Array, last: Uint8Array): Uint8Array {
    this.damaged++;
    const random = this.#random;
    const copy = message.slice();
    const at = random.below(Math.min(40, copy.length));
    switch (random.below(12)) {
      case 0:
        return copy.subarray(0, random.below(copy.length));
      case 1:
        return new Uint8Array(0);
      case 2:
        return random.bytes(1 + random.below(100));
      case 3:
        return last;
      case 4:
        return repeated(copy, 1 + random.below(5));
      case 5:
        return random.oneIn(20) ? repeated(copy, 5000) : repeated(last, 3);
      case 6:
        copy[at]! ^= 1 << random.below(8);
        return copy;
      case 7:
        return Uint8Array.from([...copy, ...random.bytes(random.below(64))]);
      default:
        return this.#setField(copy);
    }
  }

  /** Sets a field of 2, 4 or 8 bytes to a value that is often wrong. */
  #setField(copy: Uint8Array): Uint8Array {
    const random = this.#random;
    const bytes = random.pick([2, 4, 4, 8]);
    const places = Math.floor(Math.min(48, copy.length) / 2) - bytes / 2 + 1;
    if (places <= 0) return copy;
    const at = 2 * random.below(places);
    const view = new DataView(copy.buffer);
    if (bytes === 2) view.setUint16(at, random.pick(WORDS) & 0xffff);
    else if (bytes === 4) view.setUint32(at, random.pick([...WORDS, ...LARGE]));
    else {
      const value = BigInt(random.pick([...WORDS, ...LARGE]));
      view.setBigUint64(at, random.oneIn(2) ? value : -value);
    }
    return copy;
  }
}

function repeated(message: Uint8Array, most: number): Uint8Array {
  const times = Math.min(most, Math.ceil(REPEATED_MAX / (1 + message.length)));
  const all = new Uint8Array(message.length * times);
  for (let i = 0; i < times; i++) all.set(message, i * message.length);
  return all;
}
