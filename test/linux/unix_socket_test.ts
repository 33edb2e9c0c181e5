import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SystemError } from "../../src/linux/syscall/system_error.ts";
import { connectUnix } from "../../src/linux/socket/unix_connection.ts";
import {
  type ListenOptions,
  listenUnix,
  type UnixListener,
} from "../../src/linux/socket/unix_listener.ts";
import { LineTooLongError } from "../../src/linux/socket/unix_connection.ts";
import { kernelTest } from "../requirements.ts";
import { inTemporaryDirectory } from "./_fixtures.ts";

async function withListener(
  body: (listener: UnixListener) => Promise<void>,
  options: ListenOptions = {},
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    await using listener = listenUnix(`${directory}/control`, options);
    await body(listener);
  });
}

/** Both ends of a connection. */
async function connected(listener: UnixListener) {
  const client = connectUnix(listener.path);
  const server = await listener.accept();
  if (server === null) throw new Error("The listener was closed");
  return { client, server };
}

function refusal(path: string): SystemError {
  return assertThrows(() => listenUnix(path), SystemError);
}

kernelTest("a control socket carries lines both ways", async () => {
  await withListener(async (listener) => {
    const { client, server } = await connected(listener);
    await client.write("one\ntw");
    assertEquals(await server.readLine(), "one");
    const second = server.readLine();
    await client.write("o \u00fc\n\nrest");
    assertEquals(await second, "two \u00fc");
    assertEquals(await server.readLine(), "");
    await server.write("answer\n");
    assertEquals(await client.readLine(), "answer");
    await client.close();
    // A last line without a newline.
    assertEquals(await server.readLine(), "rest");
    assertEquals(await server.readLine(), null);
    const error = await assertRejects(() => server.write("x\n"), SystemError);
    assertEquals(error.code, "EPIPE");
    await server.close();
    await server.close();
  });
});

kernelTest(
  "only the owner may use a control socket, which is removed at the end",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const before = Deno.umask(0);
      try {
        const listener = listenUnix(`${directory}/control`);
        const { mode } = await Deno.lstat(listener.path);
        assertEquals(mode! & 0o7777, 0o600);
        await listener.close();
        await listener.close();
        const left = await Array.fromAsync(Deno.readDir(directory));
        assertEquals(left, []);
        assertEquals(await listener.accept(), null);
      } finally {
        Deno.umask(before);
      }
    });
  },
);

// An address of a socket has room for 107 bytes.
for (const length of [7, 90, 91, 255]) {
  kernelTest(
    `a stale control socket is replaced, a live one is not: ${length} bytes`,
    async () => {
      await inTemporaryDirectory(async (directory) => {
        const path = `${directory}/${"c".repeat(length)}`;
        const stale = listenUnix(path);
        assertEquals(refusal(path).code, "EADDRINUSE");
        assertEquals(
          refusal(path).message,
          `Cannot listen on ${path}: another program is listening on it (stop that program, or choose another path)`,
        );
        // As if its process had been killed: the file remains.
        await Deno.rename(path, `${directory}/kept`);
        await stale.close();
        await Deno.rename(`${directory}/kept`, path);
        const error = assertThrows(() => connectUnix(path), SystemError);
        assertEquals(
          error.message,
          `Cannot connect to ${path}: no program is listening on it (check whether the export is still running, and name the socket that 'export --control' made)`,
        );
        await using listener = listenUnix(path);
        const { client, server } = await connected(listener);
        await client.close();
        assertEquals(await server.readLine(), null);
        const file = `${directory}/${"f".repeat(length)}`;
        await Deno.writeTextFile(file, "mine");
        assertEquals(refusal(file).code, "EEXIST");
        assertEquals(await Deno.readTextFile(file), "mine");
        assertEquals(refusal(`${directory}/no/where`).code, "ENOENT");
        await listener.close();
        const left: string[] = [];
        for await (const { name } of Deno.readDir(directory)) left.push(name);
        assertEquals(left, [file.slice(directory.length + 1)]);
      });
    },
  );
}

kernelTest(
  "closing does not remove a later socket at the same path",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const first = listenUnix(`${directory}/control`);
      await Deno.remove(first.path);
      await using second = listenUnix(first.path);
      await first.close();
      const { client } = await connected(second);
      await client.close();
    });
  },
);

kernelTest("a path may be longer than the address of a socket", async () => {
  await inTemporaryDirectory(async (directory) => {
    const deep = `${directory}/${"d".repeat(120)}`;
    await Deno.mkdir(deep);
    await using listener = listenUnix(`${deep}/control`);
    const { client, server } = await connected(listener);
    await client.write("here\n");
    assertEquals(await server.readLine(), "here");
    await client.close();
  });
});

kernelTest("a name that is too long is named as it was given", async () => {
  await inTemporaryDirectory((directory) => {
    const path = `${directory}/${"c".repeat(256)}`;
    for (const use of [listenUnix, connectUnix]) {
      const { code, message } = assertThrows(() => use(path), SystemError);
      assertEquals(code, "ENAMETOOLONG");
      assert(message.includes(`${path}: File name too long`), message);
    }
    return Promise.resolve();
  });
});

kernelTest("a line that is too long is reported once and skipped", async () => {
  await withListener(async (listener) => {
    const { client, server } = await connected(listener);
    const sending = client.write(`${"x".repeat(300_000)}\nshort\n`);
    await assertRejects(() => server.readLine(), LineTooLongError);
    assertEquals(await server.readLine(), "short");
    await sending;
    await client.write(`${"y".repeat(101)}\nz\n`);
    await assertRejects(() => server.readLine(), LineTooLongError);
    assertEquals(await server.readLine(), "z");
    await client.write("x".repeat(1000));
    await client.close();
    await assertRejects(() => server.readLine(), LineTooLongError);
    assertEquals(await server.readLine(), null);
  }, { longestLine: 100 });
});

kernelTest("garbage is read as lines, and does no harm", async () => {
  await withListener(async (listener) => {
    const client = await Deno.connect({
      transport: "unix",
      path: listener.path,
    });
    const server = await listener.accept();
    await client.write(new Uint8Array([0xff, 0x00, 0xc3, 0x0a, 0x0d, 0x0a]));
    assertEquals(await server!.readLine(), "\ufffd\0\ufffd");
    assertEquals(await server!.readLine(), "\r");
    client.close();
    assertEquals(await server!.readLine(), null);
  });
});

kernelTest("random bytes arrive whole in any pieces", async () => {
  await withListener(async (listener) => {
    const { client, server } = await connected(listener);
    const lines = Array.from(
      { length: 300 },
      (_, index) => "abc".repeat((index * 7919) % 997) + index,
    );
    const sending = (async () => {
      const text = lines.map((line) => `${line}\n`).join("");
      for (let at = 0; at < text.length;) {
        const next = at + 1 + (at * 31) % 5003;
        await client.write(text.slice(at, next));
        at = next;
      }
      await client.close();
    })();
    for (const line of lines) assertEquals(await server.readLine(), line);
    assertEquals(await server.readLine(), null);
    await sending;
  });
});

kernelTest("a write to a client that does not read times out", async () => {
  await withListener(async (listener) => {
    const { client, server } = await connected(listener);
    const error = await assertRejects(
      () => server.write("x".repeat(4 << 20)),
      SystemError,
    );
    assertEquals(error.code, "ETIMEDOUT");
    await client.close();
  }, { writeLimitMs: 100 });
});

kernelTest("closing ends pending calls immediately", async () => {
  await withListener(async (listener) => {
    const { client, server } = await connected(listener);
    const waiting = [listener.accept(), server.readLine(), client.readLine()];
    await new Promise((resolve) => setTimeout(resolve, 50));
    const start = performance.now();
    await listener.close();
    assertEquals(await Promise.all(waiting), [null, null, null]);
    assert(performance.now() - start < 500);
    await client.close();
  });
});

kernelTest("the number of connections at a time is limited", async () => {
  await withListener(async (listener) => {
    const first = await connected(listener);
    const second = connectUnix(listener.path);
    await second.write("second\n");
    const next = listener.accept();
    const timeout = new Promise((resolve) => setTimeout(resolve, 100, "none"));
    assertEquals(await Promise.race([next, timeout]), "none");
    await first.server.close();
    assertEquals(await (await next)?.readLine(), "second");
    await Promise.all([first.client.close(), second.close()]);
  }, { maxConnections: 1 });
});

kernelTest("timers of the thread run while sockets wait", async () => {
  await withListener(async (listener) => {
    const waiting = listener.accept();
    const start = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert(performance.now() - start < 500);
    await listener.close();
    assertEquals(await waiting, null);
  });
});
