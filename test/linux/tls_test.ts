/** TLS over sockets, with OpenSSL and Deno's own TLS as peers. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import type { TlsFiles } from "../../src/backends/services.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { UserError } from "../../src/base/user_error.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { openLibrary, openSsl } from "../../src/linux/tls/openssl.ts";
import { driverServices } from "../../src/session/driver_services.ts";
import { Authority, openssl } from "../_certificates.ts";
import { missingPermission, missingProgram, testIf } from "../requirements.ts";
import { inTemporaryDirectory } from "./_fixtures.ts";
import {
  connect,
  NAME,
  startTls,
  TestStream,
  TlsServer,
} from "./_tls_server.ts";

const NAMES = "DNS:localhost,DNS:*.example.com,IP:127.0.0.1";

function tlsTest(
  name: string,
  body: (authority: Authority, directory: string) => Promise<void>,
): void {
  const missing = missingPermission("ffi", "read", "write", "run", "env") ||
    missingPermission("net") || missingProgram("openssl");
  // Opened before the first test, so that they do not count as leaks.
  if (missing === "") void [libc(), openSsl(NAME)];
  testIf(missing, name, () =>
    inTemporaryDirectory(async (directory) => {
      await body(await Authority.make(directory, "ours"), directory);
    }));
}

/** Why a handshake fails. */
async function refusal(
  port: number,
  host: string,
  files: Partial<TlsFiles>,
): Promise<string> {
  const error = await assertRejects(async () => {
    const socket = await startTls(port, host, files);
    // Since TLS 1.3 a client learns only now that it is refused.
    await socket.receive(1).finally(() => socket.close());
  }, UserError);
  assertEquals(error.message.slice(0, 19), `Cannot open ${NAME}: `);
  return error.message;
}

for (const version of ["-tls1_2", "-tls1_3"]) {
  tlsTest(`TLS carries lines both ways: ${version}`, async (authority) => {
    const certificate = await authority.sign(NAMES);
    await using server = await TlsServer.start(certificate, version, "-rev");
    const files = { ca: authority.file };
    for (const host of ["localhost", "127.0.0.1", "a.example.com"]) {
      const socket = await startTls(server.port, host, files, ["http/1.1"]);
      await socket.send(new TextEncoder().encode("abc\n"));
      const bytes = await socket.receive(4);
      assertEquals(new TextDecoder().decode(bytes), "cba\n");
      const stream = new TestStream(socket);
      assertEquals(await stream.send(new TextEncoder().encode("12345\n")), 0);
      assertEquals(await stream.text(6), "54321\n");
      stream.close();
    }
  });

  tlsTest(
    `a client's certificate is asked for: ${version}`,
    async (authority, directory) => {
      const server = await authority.sign(NAMES);
      const client = await authority.sign("DNS:client");
      const other = await (await Authority.make(directory, "other")).sign(
        "DNS:a",
      );
      const args = [version, "-rev", "-Verify", "1", "-verify_return_error"];
      await using peer = await TlsServer.start(
        server,
        ...[...args, "-CAfile", authority.file],
      );
      const { port } = peer;
      const ca = authority.file;
      assertMatch(
        await refusal(port, "localhost", { ca }),
        /if it wants a certificate of this client, give --tls-cert/,
      );
      assertMatch(
        await refusal(port, "localhost", { ca, ...other }),
        /its server refuses the certificate of this client \(.*unknown ca\)/,
      );
      const socket = await startTls(port, "localhost", { ca, ...client });
      await socket.send(new TextEncoder().encode("abc\n"));
      assertEquals((await socket.receive(4))[0], "c".charCodeAt(0));
      socket.close();
    },
  );
}

tlsTest(
  "a server is refused that is not the right one",
  async (authority, directory) => {
    const other = await Authority.make(directory, "other");
    const certificate = await authority.sign(NAMES);
    await using server = await TlsServer.start(certificate, "-rev");
    const { port } = server;
    const ca = authority.file;
    for (const host of ["other.example.org", "127.0.0.2", "b.a.example.com"]) {
      const message = await refusal(port, host, { ca });
      assertMatch(message, /the certificate of its server is not for /);
      assert(message.includes(`not for ${host}; connect`), message);
    }
    const untrusted =
      /no authority that is trusted here has signed .* --tls-ca$/;
    assertMatch(
      await refusal(port, "localhost", { ca: other.file }),
      untrusted,
    );
    assertMatch(await refusal(port, "localhost", { ca: null }), untrusted);
    const expired = await authority.sign(NAMES, -1);
    await using old = await TlsServer.start(expired, "-rev");
    assertMatch(
      await refusal(old.port, "localhost", { ca }),
      /the certificate of its server has expired; renew it there$/,
    );
    const ancient = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-rev"];
    await using tls11 = await TlsServer.start(certificate, ...ancient);
    assertMatch(
      await refusal(tls11.port, "localhost", { ca }),
      /have no version of TLS in common, from 1.2 on; use a newer server$/,
    );
  },
);

tlsTest(
  "a server that does not speak TLS is told from one that does",
  async (authority) => {
    for (
      const words of ["HTTP/1.1 400 Bad Request\r\n\r\n", "NBDMAGICIHAVEOPT"]
    ) {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const answer = listener.accept().then(async (connection) => {
        await connection.write(new TextEncoder().encode(words));
        return connection;
      });
      const { port } = listener.addr as Deno.NetAddr;
      assertMatch(
        await refusal(port, "localhost", { ca: authority.file }),
        /what answers there does not speak TLS \(.*\); check the port/,
      );
      (await answer).close();
    }
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const closed = listener.accept().then((connection) => connection.close());
    const { port } = listener.addr as Deno.NetAddr;
    assertMatch(
      await refusal(port, "localhost", { ca: authority.file }),
      /its server closed the connection|ECONNRESET/,
    );
    await closed;
  },
);

tlsTest(
  "the end of TLS is told from that of the connection",
  async (authority) => {
    const certificate = await authority.sign(NAMES);
    const files = { ca: authority.file };
    // With -www it answers by a page, and ends TLS as it should.
    await using server = await TlsServer.start(certificate, "-www");
    const stream = new TestStream(
      await startTls(server.port, "localhost", files),
    );
    const request = new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n");
    assertEquals(await stream.send(request), 0);
    const page = new Uint8Array(100_000);
    let length = 0;
    for (let got; (got = await stream.receive(page, length)) !== 0;) {
      assert(got > 0, stream.why);
      length += got;
    }
    const text = new TextDecoder().decode(page.subarray(0, length));
    assertMatch(text, /^HTTP\/1.0 200 ok[^]*<\/html>/i);
    assertEquals(await stream.receive(page), 0);
    stream.close();
    await using killed = await TlsServer.start(certificate);
    const cut = new TestStream(await startTls(killed.port, "localhost", files));
    await killed.type("hello");
    assertEquals(await cut.text(6), "hello\n");
    const end = cut.receive(new Uint8Array(9));
    killed.kill();
    assertEquals(await end, -ERRNO.ECONNABORTED);
    assertEquals(cut.why, "the connection ended without the end of TLS");
    cut.close();
  },
);

tlsTest("new keys are taken, and answered", async (authority) => {
  const certificate = await authority.sign(NAMES);
  await using server = await TlsServer.start(certificate, "-tls1_3");
  const socket = await startTls(server.port, "localhost", {
    ca: authority.file,
  });
  const stream = new TestStream(socket);
  const say = async (line: string) => {
    assertEquals(await stream.send(new TextEncoder().encode(`${line}\n`)), 0);
    await server.said(line);
  };
  await say("the handshake is over");
  for (const word of ["first", "second"]) {
    // The command K updates the keys and asks for the same. What is typed
    // before something else was received is a line of its own.
    await server.type("K");
    await say(`before ${word}`);
    await server.type(word);
    assertEquals(await stream.text(word.length + 1), `${word}\n`);
    await say(`after ${word}`);
  }
  stream.close();
});

tlsTest(
  "megabytes come as they were sent, in both directions at once",
  async (authority) => {
    const { certificate, key } = await authority.sign(NAMES);
    using listener = Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: await Deno.readTextFile(certificate),
      key: await Deno.readTextFile(key),
    });
    const echo = listener.accept().then(async (connection) => {
      await connection.readable.pipeTo(connection.writable).catch(() => {});
    });
    const { port } = listener.addr as Deno.NetAddr;
    const files = { ca: authority.file };
    const stream = new TestStream(await startTls(port, "localhost", files));
    const size = 5_000_001;
    const data = Uint8Array.from(
      { length: size },
      (_, at) => at * 7 + (at >> 9),
    );
    const sending = stream.send(data);
    const got = new Uint8Array(size);
    for (let done = 0; done < size;) {
      const count = await stream.receive(got, done);
      assert(count > 0, `${count} ${stream.why}`);
      done += count;
    }
    assertEquals(await sending, 0);
    assert(got.every((byte, at) => byte === data[at]));
    stream.close();
    await echo;
  },
);

tlsTest("what garbles the stream is noticed", async (authority) => {
  const certificate = await authority.sign(NAMES);
  await using server = await TlsServer.start(certificate);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let isEvil = false;
  const proxy = listener.accept().then(async (client) => {
    const address = { hostname: "127.0.0.1", port: server.port };
    const peer = await Deno.connect(address);
    const garble = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (isEvil) chunk[chunk.length - 1]! ^= 1;
        controller.enqueue(chunk);
      },
    });
    await Promise.allSettled([
      client.readable.pipeTo(peer.writable),
      peer.readable.pipeThrough(garble).pipeTo(client.writable),
    ]);
  });
  const { port } = listener.addr as Deno.NetAddr;
  const files = { ca: authority.file };
  const stream = new TestStream(await startTls(port, "localhost", files));
  await server.type("hello");
  assertEquals(await stream.text(6), "hello\n");
  isEvil = true;
  await server.type("hello");
  const bytes = new Uint8Array(9);
  assertEquals(await stream.receive(bytes), -ERRNO.EPROTO);
  assertMatch(stream.why, /^TLS fails: .*bad record mac/);
  assertEquals(bytes, new Uint8Array(9));
  stream.close();
  server.kill();
  await proxy;
});

tlsTest(
  "files that cannot be used are refused in a sentence",
  async (authority, directory) => {
    const { certificate, key } = await authority.sign(NAMES);
    const other = await authority.sign(NAMES);
    const secret = `${directory}/secret`;
    const password = ["-aes128", "-passout", "pass:x"];
    await openssl("pkey", "-in", key, ...password, "-out", secret);
    const empty = `${directory}/empty`;
    await Deno.writeTextFile(empty, "nothing\n");
    const { sockets } = driverServices({});
    const none = `${directory}/none`;
    for (
      const [files, why] of [
        [
          { ca: none },
          /none has no certificates of authorities .*; give a file/,
        ],
        [{ ca: empty }, /empty has no certificates of authorities to trust \(/],
        [{ certificate: none }, /none has no certificate of this client \(/],
        [{ certificate: empty }, /empty has no certificate of this client \(/],
        [{ certificate }, /pem cannot be the private key of .*; give the one/],
        [
          { certificate, key: secret },
          /secret cannot be the private key .* password/,
        ],
        [
          { certificate, key: other.key },
          /cannot be the private key of .*mismatch/,
        ],
        [
          { key },
          /--tls-key has no use without a certificate; give --tls-cert/,
        ],
      ] as const
    ) {
      const all = { ca: null, certificate: null, key: null, ...files };
      const error = assertThrows(() => sockets.tls(all, NAME), UserError);
      assertMatch(error.message, why);
    }
    const error = assertThrows(
      () => openLibrary(["libno.so"], NAME),
      UserError,
    );
    assertMatch(
      error.message,
      /TLS needs OpenSSL's libno.so, .*; install libssl3/,
    );
    // A socket that was closed during the handshake.
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const socket = await connect(port);
    const client = sockets.tls(
      { ca: null, certificate: null, key: null },
      NAME,
    );
    const handshake = assertRejects(
      () => client.start(socket, "localhost"),
      UserError,
      "the connection was closed",
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.close();
    await handshake;
    client.close();
  },
);
