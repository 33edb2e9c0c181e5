/** What programs do with an image on a web server, and how that is measured. */
export interface HttpCell {
  readonly name: string;
  /** Milliseconds by which a proxy delays what the server sends. */
  readonly delayMs: number;
  /** fio's arguments, without the file. */
  readonly fio: readonly string[];
  /** Bytes that are read before; none if left out. */
  readonly warm?: number;
}

const RANDOM = ["--rw=randread", "--bs=4k", "--iodepth=16"];
const SEQUENTIAL = ["--rw=read", "--bs=1M", "--iodepth=4"];
/** What fits into the memory for blocks. */
const WARM_BYTES = 16 << 20;

/** Each is measured on a mount of its own. */
export const CELLS: readonly HttpCell[] = [0, 20].flatMap((delayMs) => {
  const where = delayMs === 0 ? "" : `, ${delayMs} ms`;
  return [
    { name: `4 KiB random, cold${where}`, delayMs, fio: RANDOM },
    {
      name: `4 KiB random, warm${where}`,
      delayMs,
      fio: [...RANDOM, `--size=${WARM_BYTES}`],
      warm: WARM_BYTES,
    },
    { name: `1 MiB sequential, cold${where}`, delayMs, fio: SEQUENTIAL },
  ];
});
