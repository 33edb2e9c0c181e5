/**
 * Makes a file of words of which some are frequent: they shrink to about a third.
 *
 * @param path A file that is not there yet.
 * @param size Its size: a multiple of 1 MiB.
 * @param signal Cancels the work.
 */
export async function writeText(
  path: string,
  size: number,
  signal: AbortSignal,
): Promise<void> {
  const letters = new Uint8Array(4096);
  crypto.getRandomValues(letters);
  const words = Array.from({ length: 4096 }, (_, at) => {
    const length = 2 + letters[at]! % 9;
    return letters.subarray(at, at + length).map((each) => 97 + each % 26);
  });
  const chunk = new Uint8Array(1 << 20);
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let left = size; left > 0; left -= chunk.length) {
    signal.throwIfAborted();
    for (let at = 0; at < chunk.length;) {
      // Zipf's law, roughly.
      const word = words[Math.floor(4096 ** Math.random()) % 4096]!;
      chunk.set(word.subarray(0, chunk.length - at), at);
      at += word.length + 1;
      if (at <= chunk.length) chunk[at - 1] = 32;
    }
    for (let done = 0; done < chunk.length;) {
      done += await file.write(chunk.subarray(done));
    }
  }
}
