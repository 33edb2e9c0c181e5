/** Images on a real web server with TLS, passwords, tokens and a proxy. */
import { assertEquals, assertMatch } from "@std/assert";
import { Authority } from "../_certificates.ts";
import {
  assertSame,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  runMain,
} from "./_harness.ts";
import { Nginx } from "./_nginx.ts";

const PROGRAMS = ["nginx", "qemu-img", "openssl", "cmp", "python3"];
const WITHOUT_IO_URING = new URL("_without_io_uring.py", import.meta.url)
  .pathname;
const SECRET = "hush-9be1";

function tlsLines(certificate: string, key: string): string {
  return `ssl_certificate ${certificate}; ssl_certificate_key ${key};`;
}

mountTest(
  "an image is read by HTTPS with a token",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 16 * MIB);
    const authority = await Authority.make(directory, "ca");
    const { certificate, key } = await authority.sign("IP:127.0.0.1");
    await using server = await Nginx.start(
      directory,
      `${
        tlsLines(certificate, key)
      } if ($http_authorization != "Bearer ${SECRET}") { return 401; }`,
    );
    const url = server.url(image.slice(directory.length + 1), "https");
    const headers = `${directory}/headers`;
    await Deno.writeTextFile(headers, `Authorization: Bearer ${SECRET}\n`);
    const trust = `--tls-ca=${authority.file}`;
    for (
      const [transport, wrapper] of [
        ["device", []],
        ["auto", []],
        ["device", ["python3", WITHOUT_IO_URING]],
      ] as const
    ) {
      await using process = await ExportProcess.start([
        "-q2",
        trust,
        `--http-headers-file=${headers}`,
        `--transport=${transport}`,
        url,
        mountpoint,
      ], { wrapper });
      await assertSame(mountpoint, image);
      assertEquals((await process.stop()).code, 0);
    }
    for (
      const [args, why] of [
        [[url], /no authority that is trusted here/],
        [[trust, url], /wants a password or token \(401\)/],
        [[trust, url.replace("127.0.0.1", "localhost")], /localhost/],
      ] as const
    ) {
      const { code, stderr } = await runMain(["export", ...args, mountpoint]);
      assertEquals(code, 1, stderr);
      assertMatch(stderr, why);
      assertEquals(stderr.trim().split("\n").length, 1, stderr);
    }
  },
  PROGRAMS,
);

mountTest(
  "a compressed qcow2 image is read by HTTPS with a password",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 8 * MIB);
    const qcow2 = `${directory}/a.qcow2`;
    await must("qemu-img", "convert", "-c", "-O", "qcow2", image, qcow2);
    const authority = await Authority.make(directory, "ca");
    const { certificate, key } = await authority.sign("IP:127.0.0.1");
    const basic = btoa(`ann:${SECRET}`);
    await using server = await Nginx.start(
      directory,
      `${
        tlsLines(certificate, key)
      } if ($http_authorization != "Basic ${basic}") { return 403; }`,
    );
    const netrc = `${directory}/netrc`;
    await Deno.writeTextFile(
      netrc,
      `machine 127.0.0.1 login ann password ${SECRET}\n`,
    );
    await using process = await ExportProcess.start([
      "-q2",
      `--tls-ca=${authority.file}`,
      `--netrc=${netrc}`,
      `qcow2:${server.url("a.qcow2", "https")}`,
      mountpoint,
    ]);
    await assertSame(mountpoint, image);
    assertEquals((await process.stop()).code, 0);
  },
  PROGRAMS,
);

mountTest(
  "what a killed export had fetched is there for the next one",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 16 * MIB);
    await using server = await Nginx.start(directory);
    const kept = `${directory}/kept`;
    await Deno.mkdir(kept);
    const args = [
      "-q2",
      `--cache-dir=${kept}`,
      server.url(image.slice(directory.length + 1)),
      mountpoint,
    ];
    {
      await using process = await ExportProcess.start(args);
      await assertSame(mountpoint, image);
      process.signal("SIGKILL");
      await process.ended;
    }
    const before = (await server.requests()).length;
    await using process = await ExportProcess.start(args);
    await assertSame(mountpoint, image);
    assertEquals((await server.requests()).length, before + 2);
    assertEquals((await process.stop()).code, 0);
  },
  PROGRAMS,
);
