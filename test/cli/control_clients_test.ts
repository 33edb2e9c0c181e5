import { assert, assertEquals, assertMatch } from "@std/assert";
import { sendControl } from "../../src/cli/control/client.ts";
import {
  ControlServer,
  type ControlServerOptions,
  listenControl,
} from "../../src/cli/control/server.ts";
import { Output } from "../../src/cli/output/output.ts";
import { inTemporaryDirectory } from "../linux/_fixtures.ts";
import { kernelTest } from "../requirements.ts";
import { FakeExport } from "./_fake_export.ts";
import { KeptSinks } from "./_sinks.ts";

/** Seconds that a test waits for what has to happen. */
const LONG_S = 60;
const ENCODER = new TextEncoder();

async function withServer(
  options: ControlServerOptions,
  body: (path: string, session: FakeExport) => Promise<void>,
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/control`;
    const session = new FakeExport();
    const output = new Output({ json: false, log: "text" }, new KeptSinks());
    const stop = () => session.stopped++;
    const listener = listenControl(path, options);
    const service = { version: "0", output, stop };
    await using _ = new ControlServer(listener, session, service);
    await body(path, session);
  });
}

function connect(path: string): Promise<Deno.UnixConn> {
  return Deno.connect({ transport: "unix", path });
}

/** Requires that a query of another client is answered. */
async function assertAnswers(path: string): Promise<void> {
  const received = await sendControl(path, { command: "query" }, LONG_S);
  assertEquals(received?.reply.command, "query");
}

/** Reads all that comes, up to the end of the connection. */
async function readAll(connection: Deno.UnixConn): Promise<string> {
  return await new Response(connection.readable).text();
}

/** Writes until the other end takes no more; ends with the connection. */
async function flood(connection: Deno.UnixConn, text: string): Promise<void> {
  const bytes = ENCODER.encode(text);
  try {
    for (;;) await connection.write(bytes);
  } catch {
    // The connection has ended.
  }
}

kernelTest("a control socket answers beside idle clients", async () => {
  await withServer({}, async (path) => {
    // More than are served at a time, and more than Deno's pool has threads.
    const idle: Deno.UnixConn[] = [];
    for (let i = 0; i < 100; i++) {
      idle.push(await connect(path));
      if (i % 25 === 0) await assertAnswers(path);
    }
    await assertAnswers(path);
    // Those that were idle for the longest time have made room.
    assertEquals(await readAll(idle.shift()!), "");
    // The last one is served.
    const last = idle.pop()!;
    await last.write(ENCODER.encode('{"command":"readonly"}\n'));
    await last.closeWrite();
    assertEquals(await readAll(last), '{"ok":true,"writable":false}\n');
    for (const connection of idle) connection.close();
  });
});

kernelTest(
  "a client that sends half a command is told when its time is up",
  async () => {
    await withServer({ commandLimitMs: 300 }, async (path) => {
      const half = await connect(path);
      await half.write(ENCODER.encode('{"command":'));
      const answer = readAll(half);
      await assertAnswers(path);
      assertEquals(JSON.parse(await answer), {
        ok: false,
        error:
          "Cannot wait longer for a command: no whole line came in time; connect again, and end the line",
      });
    });
  },
);

kernelTest(
  "a client that sends a byte now and then has the same time",
  async () => {
    await withServer({ commandLimitMs: 300 }, async (path) => {
      const slow = await connect(path);
      let sent = 0;
      const timer = setInterval(() => {
        slow.write(ENCODER.encode("x")).then(() => sent++, () => {});
      }, 20);
      // Not cut off by each byte anew: otherwise this takes as long as the test.
      const reader = slow.readable.getReader();
      const { value } = await reader.read();
      clearInterval(timer);
      assertMatch(
        new TextDecoder().decode(value),
        /no whole line came in time/,
      );
      assert(sent > 0);
      await reader.cancel();
    });
  },
);

kernelTest(
  "a client that sends a line without an end holds nothing up",
  async () => {
    await withServer({ commandLimitMs: 1000 }, async (path) => {
      const endless = await connect(path);
      const flooding = flood(endless, "x".repeat(65536));
      const reader = endless.readable.getReader();
      const { value } = await reader.read();
      const first = new TextDecoder().decode(value);
      assertMatch(first, /Cannot read a line: it has more than 4096 bytes/);
      // Timers run meanwhile, and others are answered.
      await new Promise((resolve) => setTimeout(resolve, 10));
      await assertAnswers(path);
      // The time is up, although bytes keep coming.
      await flooding;
      await reader.cancel().catch(() => {});
    });
  },
);

kernelTest(
  "a client that never reads its replies holds nothing up",
  async () => {
    await withServer({ maxClients: 2 }, async (path) => {
      const deaf = [await connect(path), await connect(path)];
      const flooding = deaf.map((connection) =>
        flood(connection, '{"command":"query"}\n'.repeat(100))
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
      // Both are busy, not idle; they are cut off once they have had their time.
      await assertAnswers(path);
      await Promise.all(flooding);
      for (const connection of deaf) connection.close();
    });
  },
);

kernelTest(
  "a control socket ends at once with all kinds of clients",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = `${directory}/control`;
      const output = new Output({ json: false, log: "text" }, new KeptSinks());
      const server = new ControlServer(
        listenControl(path),
        new FakeExport(),
        { version: "0", output, stop: () => {} },
      );
      const clients: Deno.UnixConn[] = [];
      for (let i = 0; i < 10; i++) clients.push(await connect(path));
      await clients[0]!.write(ENCODER.encode('{"comm'));
      const flooding = flood(clients[1]!, '{"command":"query"}\n');
      const endless = flood(clients[2]!, "x".repeat(1000));
      await assertAnswers(path);
      await server[Symbol.asyncDispose]();
      await Promise.all([flooding, endless]);
      for (const client of clients) client.close();
    });
  },
);
