// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * A disk image of your own making: each sector says its own number. Four
 * Workers serve it; each imports this module and makes a backend of its own.
 *
 * ```sh
 * touch sectors.img
 * deno run --allow-ffi --allow-read examples/custom_backend.ts sectors.img &
 * dd if=sectors.img bs=512 skip=1000000 count=3
 * ```
 *
 * @module
 */
import type { Backend, Extent, ImageStat } from "../mod.ts";

const SECTOR = 512;
const EROFS = 30;
const ENCODER = new TextEncoder();

/** A read-only disk of numbered sectors. */
class SectorBackend implements Backend {
  readonly name = "sectors";
  /** Several Workers may serve it together: it has no state. */
  readonly shared = true;
  readonly writable = false;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  stat(): ImageStat {
    const size = this.#size;
    return { size, allocated: 0, blockSize: SECTOR, times: null };
  }

  /** A number is an answer; one that takes time would be a promise of it. */
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

  extent(): Extent {
    return { data: true, end: this.#size };
  }

  close(): void {}

  // The kernel lets nobody write to what is exported read-only.
  write(): number {
    return -EROFS;
  }
  flush(): number {
    return 0;
  }
  truncate(): number {
    return -EROFS;
  }
  zero(): number {
    return -EROFS;
  }
  allocate(): number {
    return -EROFS;
  }
}

function sector(number: number): Uint8Array {
  return ENCODER.encode(`sector ${number}\n`.padStart(SECTOR, "."));
}

/**
 * Makes the backend, once in each Worker.
 *
 * @param options What came with `source`, a copy of it.
 */
export default function makeBackend(options: unknown): Backend {
  const { size } = options as { size: number };
  return new SectorBackend(size);
}

if (import.meta.main) {
  // Imported here, because the Workers have no need of it.
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
