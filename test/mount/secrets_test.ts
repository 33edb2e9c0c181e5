/** What authorises reading from servers must not be seen anywhere. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Authority } from "../_certificates.ts";
import {
  assertSame,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  runMain,
  shell,
} from "./_harness.ts";
import { Nginx } from "./_nginx.ts";

const PROGRAMS = ["nginx", "qemu-img", "openssl", "cmp"];
const SECRET = "hush9be1f0a7";
/** What a password becomes in a field. */
const BASIC = btoa(`ann:${SECRET}`);

/** A way to authorise reading. */
interface Way {
  readonly name: string;
  /** A condition of nginx under which it refuses. */
  readonly refuses: string;
  /** The text of a file with secrets, and the option that names it. */
  readonly file?: readonly [option: string, text: string];
  readonly options?: (url: string) => string[];
  /** The source of the image at a URL. */
  readonly source: (url: string) => string;
}

const WAYS: readonly Way[] = [
  {
    name: "a token",
    refuses: `$http_authorization != "Bearer ${SECRET}"`,
    file: ["http-headers-file", `Authorization: Bearer ${SECRET}\n`],
    source: (url) => url,
  },
  {
    name: "a password",
    refuses: `$http_authorization != "Basic ${BASIC}"`,
    file: ["netrc", `machine 127.0.0.1 login ann password ${SECRET}\n`],
    source: (url) => url,
  },
  {
    name: "the keys of a store",
    refuses: `$http_authorization !~ "Credential=AKID/.*Signature="`,
    file: [
      "s3-credentials",
      `[default]\naws_access_key_id = AKID\naws_secret_access_key = ${SECRET}\n`,
    ],
    options: (url) => [`--s3-endpoint=${new URL(url).origin}`],
    source: (url) => `s3://bucket/${url.split("/").at(-1)}`,
  },
  {
    name: "a signed URL",
    refuses: `$args !~ "=${SECRET}$"`,
    source: (url) => `${url}?X-Amz-Date=1&X-Amz-Signature=${SECRET}`,
  },
];

for (const { name, refuses, file, options, source } of WAYS) {
  mountTest(`nothing shows ${name}`, async (directory) => {
    await Deno.mkdir(`${directory}/bucket`);
    const { image, mountpoint } = await imageIn(directory, 4 * MIB);
    const base = image.slice(directory.length + 1);
    await Deno.symlink(image, `${directory}/bucket/${base}`);
    const authority = await Authority.make(directory, "ca");
    const { certificate, key } = await authority.sign("IP:127.0.0.1");
    await using server = await Nginx.start(
      directory,
      `ssl_certificate ${certificate}; ssl_certificate_key ${key};
       if (${refuses}) { return 403; }`,
    );
    const url = server.url(base, "https");
    const args = [`--tls-ca=${authority.file}`, ...options?.(url) ?? []];
    if (file !== undefined) {
      await Deno.writeTextFile(`${directory}/secret`, file[1]);
      args.push(`--${file[0]}=${directory}/secret`);
    }
    const seen: string[] = [];
    const control = `${directory}/control`;
    await using process = await ExportProcess.start([
      ...["-q2", "--trace", "--stats", "--reconnect=1", "--cache-size=1M"],
      `--control=${control}`,
      ...args,
      source(url),
      mountpoint,
    ]);
    await assertSame(mountpoint, image);
    for (const part of ["cmdline", "environ"]) {
      seen.push(await Deno.readTextFile(`/proc/${process.pid}/${part}`));
    }
    seen.push(await Deno.readTextFile("/proc/self/mountinfo"));
    const run = async (...line: string[]) => {
      const { code, stdout, stderr } = await runMain(line);
      seen.push(stdout, stderr);
      return code;
    };
    // Errors of opening and of the command line too.
    const none = source(server.url("none", "https"));
    const wrong = url.replace("//", `//ann:${SECRET}@`);
    const codes = await Promise.all([
      run("ctl", control, "query"),
      run("ctl", control, "query", "--json"),
      run("ctl", control, "metrics"),
      run("info", ...args, source(url)),
      run("info", "--json", ...args, source(url)),
      run("convert", ...args, source(url), `${directory}/copy`),
      run("info", ...args, none),
      run("info", ...args, wrong),
    ]);
    assertEquals(codes.slice(0, -1), [0, 0, 0, 0, 0, 0, 1]);
    assertEquals(codes.at(-1)! > 0, true);
    assertMatch(seen.join("\n"), /\(404\)/);
    await server.stop();
    const { code } = await shell(
      'dd if="$1" of=/dev/null bs=1M iflag=direct',
      mountpoint,
    );
    assertEquals(code, 1);
    const end = await process.stop();
    assertMatch(`${end.stdout}${end.stderr}`, /fails with EIO/);
    seen.push(end.stdout, end.stderr);
    for (const text of seen) {
      for (const secret of [SECRET, BASIC]) {
        const at = text.indexOf(secret);
        assert(at < 0, `it shows ${text.slice(Math.max(0, at - 99), at + 20)}`);
      }
    }
  }, PROGRAMS);
}
