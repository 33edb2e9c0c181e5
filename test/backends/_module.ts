/**
 * A backend module for the tests: a disk in the memory that its options pass.
 */
import { MemoryBackend, type MemoryDisk } from "../../src/backends/mod.ts";

/** Makes the backend. */
export default function makeBackend(options: unknown): MemoryBackend {
  return new MemoryBackend(options as MemoryDisk, "a module's disk");
}
