/** A backend module for the tests: a pattern disk that answers later. */
import { type Backend, PatternBackend } from "../../src/backends/mod.ts";

/** Makes the backend; `options` is its size. */
export default function makeBackend(options: unknown): Backend {
  const disk = new PatternBackend(options as number, "pattern-module");
  const read = disk.read.bind(disk);
  disk.read =
    ((...args: Parameters<typeof read>) =>
      new Promise((resolve) =>
        setTimeout(() => resolve(read(...args)), 1)
      )) as unknown as typeof disk.read;
  return disk;
}
