/**
 * Reads or writes a file for some time, in a thread of its own, which waits in
 * pread(2) or pwrite(2) as any program does: it is no thread that serves the
 * file. Started by load.ts from its text, so that it needs no permission to read
 * it.
 */
const { symbols } = Deno.dlopen("libc.so.6", {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i64" },
  pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "i64" },
});
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_CLOEXEC = 0o2000000;

/** Moves blocks, at random or one after another, until the time is over. */
function move({ path, order, block, writes, size, seed, ms }) {
  const access = writes ? O_WRONLY : O_RDONLY;
  const fd = symbols.open(path, access | O_CLOEXEC);
  if (fd < 0) throw new Error("Cannot open the file");
  const call = writes ? symbols.pwrite : symbols.pread;
  const buffer = new Uint8Array(block);
  const blocks = Math.max(1, Math.floor(size / block));
  let random = seed | 1;
  let next = seed % blocks;
  let bytes = 0;
  let requests = 0;
  const start = performance.now();
  const end = start + ms;
  let now = start;
  while (now < end) {
    // Looking at the clock each time would take a part of the time.
    for (let i = 0; i < 8; i++) {
      random ^= random << 13;
      random ^= random >>> 17;
      random ^= random << 5;
      const at = order === "random" ? (random >>> 0) % blocks : next;
      next = (next + 1) % blocks;
      const count = Number(call(fd, buffer, block, at * block));
      if (count <= 0) {
        const action = writes ? "write to" : "read";
        throw new Error(`Cannot ${action} the file at ${at * block}`);
      }
      bytes += count;
      requests++;
    }
    now = performance.now();
  }
  symbols.close(fd);
  return { requests, bytes, seconds: (now - start) / 1000 };
}

self.onmessage = ({ data }) => {
  try {
    self.postMessage(move(data));
  } catch (error) {
    self.postMessage({ error: error.message });
  }
};
self.postMessage({ isLoaded: true });
