/**
 * What tells a Worker how to reach the image: plain data, and its opening.
 *
 * @module
 */
import type { Backend } from "../backends/backend.ts";
import type { BlockFile } from "../backends/block_file.ts";
import { DirectFile } from "../backends/protocols/file/direct_file.ts";
import { FileBackend } from "../backends/protocols/file/file_backend.ts";
import type { FileIo } from "../event/file_io.ts";
import { RingFileBackend } from "../backends/protocols/file/ring_file_backend.ts";
import {
  MemoryBackend,
  type MemoryDisk,
} from "../backends/protocols/memory.ts";
import { NullBackend } from "../backends/protocols/null.ts";
import { PatternBackend } from "../backends/protocols/pattern.ts";
import { LinuxBlockFile } from "../linux/io/block_file.ts";
import { importFactory, type ModuleSpec } from "./import_factory.ts";

/** A descriptor for direct I/O. Plain data. */
export interface DirectSpec {
  /** Opened with O_DIRECT. */
  readonly fd: number;
  /** What positions and lengths have to be multiples of. */
  readonly alignment: number;
}

/** How a Worker opens its backend. Plain data. */
export type BackendSpec =
  | { readonly kind: "null"; readonly name: string; readonly size: number }
  | { readonly kind: "pattern"; readonly name: string; readonly size: number }
  | {
    readonly kind: "memory";
    readonly name: string;
    readonly disk: MemoryDisk;
  }
  | {
    readonly kind: "file";
    readonly name: string;
    /** Opened once, before mounting; all Workers share it. */
    readonly fd: number;
    /** The same file past the page cache, if that is asked for. */
    readonly direct: DirectSpec | null;
    readonly writable: boolean;
    readonly offset: number;
    readonly size: number | null;
  }
  | ({ readonly kind: "module" } & ModuleSpec);

/**
 * Opens a backend in this thread.
 *
 * @param spec Which.
 * @param ring Takes the file I/O of this thread, if there is one.
 * @throws {UserError} If a module cannot be imported or makes no backend.
 */
export async function openBackend(
  spec: BackendSpec,
  ring?: FileIo,
): Promise<Backend> {
  switch (spec.kind) {
    case "null":
      return new NullBackend(spec.size, spec.name);
    case "pattern":
      return new PatternBackend(spec.size, spec.name);
    case "memory":
      return new MemoryBackend(spec.disk, spec.name);
    case "file": {
      const { name, writable, offset, size } = spec;
      const window = size === null ? { offset } : { offset, size };
      const file = openFile(spec.fd, spec.direct);
      return ring === undefined
        ? new FileBackend(file, name, writable, window)
        : new RingFileBackend({ file, ring, name, writable, window });
    }
    case "module": {
      const make = await importFactory<Backend>(spec, "backend");
      return await make(spec.options);
    }
  }
}

function openFile(fd: number, direct: DirectSpec | null): BlockFile {
  const cached = new LinuxBlockFile(fd);
  return direct === null ? cached : new DirectFile({
    direct: new LinuxBlockFile(direct.fd),
    cached,
    alignment: direct.alignment,
  });
}
