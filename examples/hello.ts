// A directory with one file: deno run --allow-ffi examples/hello.ts DIRECTORY
import { type Attr, type FileSystem, mountFileSystem } from "@mqfuse/mqfuse/fs";
import { S_IF } from "@mqfuse/mqfuse/protocol";

const text = new TextEncoder().encode("Hello from TypeScript\n");
const file = { mode: S_IF.REG | 0o444, size: text.length };
export const hello: FileSystem<Attr> = {
  root: { mode: S_IF.DIR | 0o755 },
  getattr: (node) => node,
  lookup: (_directory, name) => name === "hello.txt" ? file : null,
  readdir: () => [["hello.txt", file]],
  read: (_node, into, offset) => text.subarray(offset, offset + into.length),
};

if (import.meta.main) {
  await mountFileSystem(hello, Deno.args[0]!, { signals: true });
  // deno-lint-ignore no-console
  console.log("Now read hello.txt; press Ctrl-C to stop");
}
