import type { Answer } from "./backend.ts";

/**
 * Transfers a range by as many calls as it takes. An error after the first bytes
 * is told when the caller goes on behind them.
 *
 * @param length The length of the range, at least a byte.
 * @param call Transfers some of it; takes the bytes that are done.
 * @returns The bytes transferred: fewer only before an error or an end; `-errno`
 * if there are none.
 */
export async function transferAll(
  length: number,
  call: (done: number) => Answer,
): Promise<number> {
  let done = 0;
  while (done < length) {
    let got: number;
    try {
      got = await call(done);
    } catch (error) {
      if (done > 0) return done;
      throw error;
    }
    if (got <= 0) return done > 0 ? done : got;
    done += got;
  }
  return done;
}
