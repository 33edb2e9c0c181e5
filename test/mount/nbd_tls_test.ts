/** Exports of real NBD servers by TLS: of GnuTLS in nbdkit and qemu-nbd. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Authority, type Certificate } from "../_certificates.ts";
import {
  assertSame,
  eventually,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  runMain,
} from "./_harness.ts";
import { exists } from "./_clients.ts";
import { NbdServer } from "./_nbd_server.ts";

const PROGRAMS = ["nbdkit", "openssl", "cmp", "dd"];

/** Certificates as NBD servers and libnbd expect them in a directory. */
async function makeDirectory(
  directory: string,
  ca: string,
  role: "server" | "client",
  { certificate, key }: Certificate,
): Promise<string> {
  await Deno.mkdir(directory);
  await Deno.copyFile(ca, `${directory}/ca-cert.pem`);
  await Deno.copyFile(certificate, `${directory}/${role}-cert.pem`);
  await Deno.copyFile(key, `${directory}/${role}-key.pem`);
  return directory;
}

/** An authority, a server's directory, and a client's certificate. */
async function makeAll(directory: string) {
  const authority = await Authority.make(directory, "ca");
  const ca = authority.file;
  const own = await authority.sign("DNS:localhost,DNS:disks.example.com");
  const server = await makeDirectory(`${directory}/k`, ca, "server", own);
  const client = await authority.sign("DNS:client");
  const tls = ["--tls=require", `--tls-certificates=${server}`];
  return { ca, server, client, tls };
}

function secured(server: NbdServer, more = ""): string {
  return server.uri.replace("nbd+", "nbds+") + more;
}

mountTest(
  "an NBD export is read and written by TLS, also after its server was killed",
  async (directory) => {
    const { ca, client, tls } = await makeAll(directory);
    const { image, mountpoint } = await imageIn(directory, 32 * MIB);
    const socket = `${directory}/s`;
    const args = [...tls, "--tls-verify-peer", "file", image];
    await using server = await new NbdServer(socket, ...args).start();
    await using process = await ExportProcess.start([
      ...["-wq2", `--tls-ca=${ca}`, `--tls-cert=${client.certificate}`],
      ...[`--tls-key=${client.key}`, secured(server), mountpoint],
    ]);
    await assertSame(mountpoint, image);
    const write =
      `dd if=/dev/urandom of="$1" bs=1M count=8 seek=3 conv=notrunc`;
    await must("sh", "-c", `${write},fsync status=none`, "sh", mountpoint);
    await assertSame(mountpoint, image);
    await server.kill();
    await server.start();
    await assertSame(mountpoint, image);
    assertEquals((await process.stop()).code, 0);
  },
  PROGRAMS,
);

mountTest(
  "TLS is set up by the URI as libnbd does, or by options",
  async (directory, t) => {
    const { ca, server: path, client, tls } = await makeAll(directory);
    const { image, mountpoint } = await imageIn(directory, MIB);
    const own = await makeDirectory(`${directory}/c`, ca, "client", client);
    await using server = await new NbdServer(`${directory}/s`, ...[
      ...tls,
      "--tls-verify-peer",
      ...["file", image],
    ]).start();
    await t.step("a directory and a name in the URI", async () => {
      const more = `&tls-certificates=${own}&tls-hostname=disks.example.com`;
      const args = [secured(server, more), mountpoint];
      await using process = await ExportProcess.start(args);
      await assertSame(mountpoint, image);
      assertEquals((await process.stop()).code, 0);
    });
    await t.step("over TCP", async () => {
      const port = 20_000 + Math.floor(Math.random() * 10_000);
      const args = ["-f", "-p", `${port}`, "-i", "127.0.0.1", ...tls];
      const nbdkit = new Deno.Command("nbdkit", {
        args: [...args, "file", image],
      }).spawn();
      try {
        const source = `nbds://localhost:${port}/`;
        await eventually(async () => {
          try {
            (await Deno.connect({ hostname: "127.0.0.1", port })).close();
            return true;
          } catch {
            return false;
          }
        }, "nbdkit listens");
        await using process = await ExportProcess.start([
          `--tls-ca=${ca}`,
          source,
          mountpoint,
        ]);
        await assertSame(mountpoint, image);
        assertEquals((await process.stop()).code, 0);
      } finally {
        nbdkit.kill();
        await nbdkit.status;
      }
    });
    await t.step("qemu-nbd", async () => {
      const socket = `${directory}/q`;
      const object = `tls-creds-x509,id=t,endpoint=server,dir=${path}`;
      const qemu = new Deno.Command("qemu-nbd", {
        args: [
          ...["-k", socket, "-r", "-f", "raw", "--persistent"],
          ...["--object", object, "--tls-creds", "t", image],
        ],
      }).spawn();
      try {
        await eventually(() => exists(socket), "qemu-nbd listens");
        const source = `nbds+unix:///?socket=${socket}&tls-certificates=${own}`;
        await using process = await ExportProcess.start([source, mountpoint]);
        await assertSame(mountpoint, image);
        assertEquals((await process.stop()).code, 0);
      } finally {
        qemu.kill();
        await qemu.status;
      }
    });
  },
  [...PROGRAMS, "qemu-nbd"],
);

mountTest(
  "what is wrong with TLS is told in a sentence, and nothing goes on without it",
  async (directory) => {
    const { ca, server: path, client, tls } = await makeAll(directory);
    const { image, mountpoint } = await imageIn(directory, MIB);
    const file = ["-r", "file", image];
    const start = (name: string, ...args: string[]) =>
      new NbdServer(`${directory}/${name}`, ...args, ...file).start();
    await using plain = await start("plain");
    await using server = await start("tls", ...tls);
    await using strict = await start("strict", ...tls, "--tls-verify-peer");
    const other = await Authority.make(directory, "other");
    const wrong = "&tls-hostname=other.example.com";
    const trust = `--tls-ca=${ca}`;
    for (
      const [args, why] of [
        [[server.uri], /requires TLS.*; write nbds: instead of nbd:/],
        [[trust, secured(plain)], /its server offers no TLS; set it up there/],
        [[secured(server)], /no authority that is trusted here has signed/],
        [[`--tls-ca=${other.file}`, secured(server)], /no authority that is/],
        [
          [trust, secured(server, wrong)],
          /is not for other.example.com; connect by a name/,
        ],
        [
          [trust, "--tls-hostname=10.0.0.1", secured(server)],
          /is not for 10.0.0.1; connect by a name/,
        ],
        [[trust, secured(strict)], /give --tls-cert and --tls-key/],
        [[trust, server.uri], /Cannot use options of TLS with/],
        [[secured(server, "&tls-verify-peer=no")], /is always checked/],
        [[secured(server, "&tls-psk-file=f")], /no TLS by pre-shared keys/],
        [
          [secured(server, `&tls-certificates=${directory}/none`)],
          /none\/ca-cert.pem has no certificates of authorities/,
        ],
        [
          [trust, `--tls-cert=${client.certificate}`, secured(server)],
          /cannot be the private key of/,
        ],
        [
          [`--tls-key=${path}/server-key.pem`, secured(server)],
          /no use without/,
        ],
      ] as const
    ) {
      const { code, stderr } = await runMain(["export", ...args, mountpoint]);
      assert(code === 1 || code === 2, `${args}: ${stderr}`);
      assertMatch(stderr, why);
      assertEquals(stderr.trim().split("\n").length, 1, stderr);
    }
  },
  PROGRAMS,
);
