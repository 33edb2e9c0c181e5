import { assertEquals } from "@std/assert";
import { libc } from "../../src/linux/syscall/libc.ts";
import { driverServices } from "../../src/session/driver_services.ts";
import { missingPermission, testIf } from "../requirements.ts";

/** More than both ends of a connection keep. */
const BYTES = 64 << 20;
const LIMIT_MS = 20_000;

const missing = missingPermission("ffi", "net");
// Opened before the first test, so that it does not count as a leak.
if (missing === "") libc();

for (const discards of [false, true]) {
  const what = discards ? "discards" : "still sends";
  testIf(
    missing,
    `a stream by TCP ${what} what it has when it is closed`,
    async () => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = listener.addr;
      const address = { kind: "tcp", host: "127.0.0.1", port } as const;
      const { sockets } = driverServices({});
      const socket = await sockets.connect(address, "nbd://test/", LIMIT_MS);
      using server = await listener.accept();
      const stream = socket.stream({ sent() {}, received() {} });
      stream.send(new Uint8Array(BYTES), 0, BYTES);
      stream.close(discards);
      const end = await endOf(server);
      assertEquals(end, discards ? "ConnectionReset" : "end");
    },
  );
}

/** How a connection ends for who reads all of it. */
async function endOf(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(1 << 20);
  try {
    while (await connection.read(buffer) !== null);
    return "end";
  } catch (error) {
    return (error as Error).name;
  }
}
