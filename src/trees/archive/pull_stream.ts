/**
 * A stream of what a function writes, which waits with each chunk until it is
 * wanted. The function's failure is the stream's.
 *
 * @param write Writes everything to a stream.
 * @returns The chunks.
 */
export function pullStream(
  write: (to: WritableStream<Uint8Array>, signal: AbortSignal) => Promise<void>,
): ReadableStream<Uint8Array> {
  const abort = new AbortController();
  let wanted = Promise.withResolvers<void>();
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const to = new WritableStream<Uint8Array>({
        async write(chunk) {
          await wanted.promise;
          abort.signal.throwIfAborted();
          wanted = Promise.withResolvers();
          controller.enqueue(chunk);
        },
      });
      write(to, abort.signal).then(() => {
        if (!abort.signal.aborted) controller.close();
      }, (error) => {
        if (!abort.signal.aborted) controller.error(error);
      });
    },
    pull() {
      wanted.resolve();
    },
    cancel(reason) {
      abort.abort(reason);
      wanted.resolve();
    },
  }, { highWaterMark: 0 });
}
