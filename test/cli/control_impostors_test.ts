import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import { sendControl } from "../../src/cli/control/client.ts";
import { checkReply } from "../../src/cli/control/reply.ts";
import { main } from "../../src/cli/main.ts";
import { inTemporaryDirectory } from "../linux/_fixtures.ts";
import { granted, kernelTest } from "../requirements.ts";
import { KeptSinks } from "./_sinks.ts";

const ENCODER = new TextEncoder();

/** What another program does with each connection. */
type Serve = (connection: Deno.UnixConn) => Promise<void>;

/** Runs a program that is no export at a path, as long as the body lasts. */
async function withImpostor(
  serve: Serve,
  body: (path: string) => Promise<void>,
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/control`;
    const listener = Deno.listen({ transport: "unix", path });
    const connections: Deno.UnixConn[] = [];
    const serving = (async () => {
      for await (const connection of listener) {
        connections.push(connection);
        await serve(connection).catch(() => {});
      }
    })();
    try {
      await body(path);
    } finally {
      listener.close();
      await serving.catch(() => {});
      for (const connection of connections) {
        try {
          connection.close();
        } catch {
          // The program has closed it.
        }
      }
    }
  });
}

function says(text: string): Serve {
  return async (connection) => {
    await connection.read(new Uint8Array(1000));
    await connection.write(ENCODER.encode(text));
  };
}

/** How long ctl waits where its time is to be up, and elsewhere. */
const SHORT_S = 0.5;
const LONG_S = 60;
const QUERY = { command: "query" } as const;
const NO_EXPORT =
  /Cannot read the reply from .*: it is not the reply of an export; name the socket/;

const IMPOSTORS: Readonly<Record<string, readonly [Serve, RegExp]>> = {
  "says nothing": [
    () => new Promise((resolve) => setTimeout(resolve, 600)),
    /none came within 0\.5 s, and the command may still be carried out; .*--timeout$/,
  ],
  "sends a byte now and then": [
    async (connection) => {
      for (let i = 0; i < 30; i++) {
        await connection.write(ENCODER.encode("x"));
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    },
    /none came within 0\.5 s/,
  ],
  "closes the connection": [
    (connection) => {
      connection.close();
      return Promise.resolve();
    },
    /the connection (?:ended before it came|was closed before the command)/,
  ],
  "sends garbage": [
    async (connection) => {
      await connection.write(crypto.getRandomValues(new Uint8Array(5000)));
      await connection.write(ENCODER.encode("\n"));
    },
    NO_EXPORT,
  ],
  "sends a line without an end": [
    async (connection) => {
      const bytes = new Uint8Array(65536).fill(97);
      for (let i = 0; i < 100; i++) await connection.write(bytes);
    },
    /it has more than 4194304 bytes; name the socket/,
  ],
  "speaks another protocol": [
    says("HTTP/1.1 400 Bad Request\r\n\r\n"),
    NO_EXPORT,
  ],
  "sends JSON of another program": [says('{"return": {}}\n'), NO_EXPORT],
  "sends null": [says("null\n"), NO_EXPORT],
  "lies about its exports": [
    says('{"ok":true,"exports":[null],"statistics":[]}\n'),
    NO_EXPORT,
  ],
  "nests deeply": [says(`${"[".repeat(200_000)}\n`), NO_EXPORT],
};

for (const [what, [serve, expected]] of Object.entries(IMPOSTORS)) {
  kernelTest(`ctl says in a sentence that a server ${what}`, async () => {
    await withImpostor(serve, async (path) => {
      const seconds = expected.source.includes("within 0") ? SHORT_S : LONG_S;
      const error = await assertRejects(
        () => sendControl(path, QUERY, seconds),
        UserError,
      );
      assertMatch(error.message, expected);
    });
  });
}

kernelTest("ctl says what to do if it cannot connect", async () => {
  await inTemporaryDirectory(async (directory) => {
    const file = `${directory}/file`;
    await Deno.writeTextFile(file, "");
    const ended = `${directory}/ended`;
    Deno.listen({ transport: "unix", path: ended }).close();
    for (const path of [`${directory}/none`, `${file}/below`, file, ended]) {
      const { message } = await assertRejects(
        () => sendControl(path, QUERY, LONG_S),
        UserError,
      );
      const [what, how] = message.split(" (");
      assertMatch(what!, /^Cannot connect to \/.+: [^(;]+$/);
      assertMatch(how!, /name the socket that 'export --control' made\)$/);
    }
  });
});

kernelTest("ctl waits for a limited time to be accepted", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/control`;
    const listener = Deno.listen({ transport: "unix", path });
    // A server that is stopped: its backlog fills up.
    const waiting = Array.from(
      { length: 5000 },
      () => Deno.connect({ transport: "unix", path }),
    );
    // Those that found it full have failed.
    const settled = Promise.allSettled(waiting);
    const error = await assertRejects(
      () => sendControl(path, QUERY, 0.5),
      UserError,
    );
    assertMatch(
      error.message,
      /none came within 0\.5 s|too many connections are waiting/,
    );
    listener.close();
    for (const each of await settled) {
      if (each.status === "fulfilled") each.value.close();
    }
  });
});

Deno.test("ctl trusts no part of a reply", () => {
  const totals =
    '{"index":0,"requests":1,"reads":0,"writes":0,"bytesRead":0,"bytesSpliced":0,"bytesWritten":0,"errors":0}';
  const exported =
    '{"source":"a","mountpoint":"/m","size":1,"writable":true,"queues":1,"cache":"none"}';
  const query = (exports: string, statistics: string) =>
    checkReply(
      `{"ok":true,"exports":${exports},"statistics":${statistics}}`,
      "query",
    );
  const good = query(`[${exported}]`, `[${totals}]`);
  assertEquals(good && "command" in good && good.command, "query");
  assertEquals(query("[]", totals), null);
  assertEquals(query(exported, `[${totals}]`), null);
  assertEquals(query("[]", `[${totals.replace("1", '"1"')}]`), null);
  assertEquals(query(`[${exported.replace("/m", "")}]`, "[]"), null);
  assertEquals(query(`[${exported.replace("none", "all")}]`, "[]"), null);
  const resize = (fields: string) =>
    checkReply(`{"ok":true,${fields}}`, "resize");
  assertEquals(resize('"size":5,"mountpoint":"/m"'), {
    command: "resize",
    size: 5,
    mountpoint: "/m",
  });
  assertEquals(resize('"size":5'), null);
  assertEquals(resize('"size":-5,"mountpoint":"/m"'), null);
  assertEquals(resize('"size":5,"mountpoint":"a\\u0000b"'), null);
  assertEquals(checkReply('{"ok":false,"error":"no"}', "stop"), {
    error: "no",
  });
  assertEquals(checkReply('{"ok":false}', "stop"), null);
  assertEquals(checkReply('{"ok":1}', "stop"), null);
  assertEquals(checkReply("", "stop"), null);
});

Deno.test({
  name: "ctl reports no defect of mqfuse, with any server",
  ignore: !granted("ffi") || !granted("write"),
  async fn() {
    await withImpostor(says("[1]\n"), async (path) => {
      const sinks = new KeptSinks();
      assertEquals(await main(["ctl", path, "query"], "1.2.3", sinks), 1);
      assertMatch(sinks.err, NO_EXPORT);
      assertEquals(sinks.out, "");
    });
  },
});
