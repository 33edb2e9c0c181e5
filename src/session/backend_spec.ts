/**
 * What tells a Worker how to reach the image: plain data, and its opening.
 *
 * @module
 */
import type { Backend } from "../backends/backend.ts";
import { FileBackend } from "../backends/file_backend.ts";
import { MemoryBackend, type MemoryDisk } from "../backends/memory_backend.ts";
import { NullBackend } from "../backends/null_backend.ts";
import { PatternBackend } from "../backends/pattern_backend.ts";
import { LinuxBlockFile } from "../linux/block_file.ts";
import { importFactory, type ModuleSpec } from "./module_spec.ts";

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
    readonly writable: boolean;
    readonly offset: number;
    readonly size: number | null;
  }
  | ({ readonly kind: "module" } & ModuleSpec);

/**
 * Opens a backend in this thread.
 *
 * @throws {Error} If a module cannot be imported or makes no backend.
 */
export async function openBackend(spec: BackendSpec): Promise<Backend> {
  switch (spec.kind) {
    case "null":
      return new NullBackend(spec.size, spec.name);
    case "pattern":
      return new PatternBackend(spec.size, spec.name);
    case "memory":
      return new MemoryBackend(spec.disk, spec.name);
    case "file": {
      const { fd, name, writable, offset, size } = spec;
      const window = size === null ? { offset } : { offset, size };
      return new FileBackend(new LinuxBlockFile(fd), name, writable, window);
    }
    case "module": {
      const make = await importFactory<Backend>(spec, "backend");
      return await make(spec.options);
    }
  }
}
