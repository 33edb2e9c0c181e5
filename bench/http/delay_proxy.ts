/**
 * Forwards TCP connections, and delays what the server sends: for kernels without
 * netem. Run with the port to listen on, that of the server, and milliseconds.
 *
 * @module
 */
const [listen, server, delay] = Deno.args.map(Number) as [
  number,
  number,
  number,
];

/** Bytes that were received and wait for their time. */
const PART = 256 * 1024;

for await (
  const client of Deno.listen({ hostname: "127.0.0.1", port: listen })
) {
  void forward(client);
}

async function forward(client: Deno.TcpConn): Promise<void> {
  const upstream = await Deno.connect({ hostname: "127.0.0.1", port: server });
  for (const socket of [client, upstream]) socket.setNoDelay();
  await Promise.all([
    pass(client, upstream, 0),
    pass(upstream, client, delay),
  ]).catch(() => {});
  for (const socket of [client, upstream]) {
    try {
      socket.close();
    } catch {
      // It is closed already.
    }
  }
}

/** Passes bytes on in order, each part `ms` after it came. */
async function pass(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  ms: number,
): Promise<void> {
  let last: Promise<void> = Promise.resolve();
  for (;;) {
    const bytes = new Uint8Array(PART);
    const got = await from.read(bytes);
    if (got === null) break;
    const due = new Promise<void>((resolve) =>
      ms === 0 ? resolve() : setTimeout(resolve, ms)
    );
    const before = last;
    last = (async () => {
      await Promise.all([before, due]);
      for (let done = 0; done < got;) {
        done += await to.write(bytes.subarray(done, got));
      }
    })();
    last.catch(() => {});
    if (ms === 0) await last;
  }
  await last;
  await to.closeWrite();
}
