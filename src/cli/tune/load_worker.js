/**
 * Reads a file for some time, in a thread of its own, which waits in pread(2) as
 * any program does: it is no thread that serves the file. Started by load.ts
 * from its text, so that it needs no permission to read it.
 */
const { symbols } = Deno.dlopen("libc.so.6", {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i64" },
});
const O_CLOEXEC = 0o2000000;

/** Reads blocks, at random or one after another, until the time is over. */
function read({ path, order, block, size, seed, ms }) {
  const fd = symbols.open(path, O_CLOEXEC);
  if (fd < 0) throw new Error("Cannot open the file");
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
      const count = Number(symbols.pread(fd, buffer, block, at * block));
      if (count <= 0) throw new Error(`Cannot read the file at ${at * block}`);
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
    self.postMessage(read(data));
  } catch (error) {
    self.postMessage({ error: error.message });
  }
};
self.postMessage({ isLoaded: true });
