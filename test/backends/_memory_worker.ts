/// <reference lib="deno.worker" />
import {
  MemoryBackend,
  type MemoryDisk,
} from "../../src/backends/protocols/memory.ts";

const LENGTH = 65536;

self.onmessage = (
  { data: { disk, index } }: MessageEvent<{ disk: MemoryDisk; index: number }>,
) => {
  const bytes = new Uint8Array(LENGTH).fill(index + 1);
  new MemoryBackend(disk).write(index * LENGTH, bytes, 0, LENGTH);
  self.postMessage("done");
  self.close();
};
