// deno-lint-ignore-file no-console -- a program that talks to a terminal
/**
 * A disk image of your own: each sector holds its own number as text. Four
 * Workers serve it; each imports this module and makes its own backend.
 *
 * ```sh
 * touch sectors.img
 * deno run --allow-ffi --allow-read examples/custom_backend.ts sectors.img &
 * dd if=sectors.img bs=512 skip=1000000 count=3
 * ```
 *
 * @module
 */
import { ImageBackend } from "../mod.ts";

const SECTOR = 512;
const ENCODER = new TextEncoder();

/** A read-only disk of numbered sectors: `size` and `read` are all it takes. */
class SectorBackend extends ImageBackend {
  /** It has no state, so that several Workers may serve it together. */
  override readonly shared = true;
  readonly size: number;

  constructor(size: number) {
    super("sectors");
    this.size = size;
  }

  /** Returns the bytes read, or a promise of them if that takes time. */
  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): number {
    for (let done = 0; done < length;) {
      const within = (position + done) % SECTOR;
      const number = Math.floor((position + done) / SECTOR);
      const bytes = sector(number).subarray(within, within + length - done);
      buffer.set(bytes, start + done);
      done += bytes.length;
    }
    return length;
  }
}

function sector(number: number): Uint8Array {
  return ENCODER.encode(`sector ${number}\n`.padStart(SECTOR, "."));
}

/**
 * Makes the backend, once in each Worker.
 *
 * @param options A copy of the `options` of `source`.
 */
export default function makeBackend(options: unknown): ImageBackend {
  const { size } = options as { size: number };
  return new SectorBackend(size);
}

if (import.meta.main) {
  // Imported here because Workers do not need it.
  const { mountExport } = await import("../mod.ts");
  const session = await mountExport({
    source: { module: import.meta.url, options: { size: 2 ** 40 } },
    mountpoint: Deno.args[0] ?? "sectors.img",
    queues: 4,
  });
  console.log(`Now read ${session.mountpoint}; press Ctrl-C to stop`);
  Deno.addSignalListener("SIGINT", () => session.close());
  await session.closed;
  Deno.exit();
}
