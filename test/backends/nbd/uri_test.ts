import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UserError } from "../../../src/base/user_error.ts";
import { parseNbdUri } from "../../../src/backends/protocols/nbd/uri.ts";

Deno.test("parseNbdUri() reads hosts, ports, sockets and names of exports", () => {
  const tcp = (host: string, port = 10809) =>
    ({ kind: "tcp", host, port }) as const;
  const named = (directory: string | null = null, hostname = directory) => ({
    directory,
    hostname,
  });
  for (
    const [uri, address, exportName, tls] of [
      ["nbd://host", tcp("host"), "", null],
      ["nbd://host/", tcp("host"), "", null],
      ["nbd://host:99/a%20b/c", tcp("host", 99), "a b/c", null],
      ["nbds://[::1]:7/x", tcp("::1", 7), "x", named()],
      [
        "nbd+unix:///disk?socket=/run/n%20bd",
        { kind: "unix", path: "/run/n bd" },
        "disk",
        null,
      ],
      ["nbds+unix://?socket=s", { kind: "unix", path: "s" }, "", named()],
      [
        "nbds://h/?tls-certificates=/etc/a%20b&tls-hostname=/etc/a%20b",
        tcp("h"),
        "",
        named("/etc/a b"),
      ],
      ["nbds://h/?tls-verify-peer=true", tcp("h"), "", named()],
      [
        "nbd+unix:///?socket=/run/a+b",
        { kind: "unix", path: "/run/a+b" },
        "",
        null,
      ],
    ] as const
  ) {
    assertEquals(parseNbdUri(uri), { uri, address, exportName, tls });
  }
});

Deno.test("parseNbdUri() refuses what it cannot use, in a sentence", () => {
  for (
    const [uri, why] of [
      ["nbd://", /names no host/],
      ["nbd:///x", /names no host/],
      ["nbd://h:0/", /port 0/],
      ["nbd://h:70000/", /port 70000/],
      ["nbd://me:secret@h/", /no users or passwords/],
      ["nbd://h/%zz", /hexadecimal/],
      ["nbd://h/?socket=s", /only nbd\+unix/],
      ["nbd+unix:///x", /names no socket/],
      ["nbd+unix://h/x?socket=s", /has no host/],
      ["nbd://h/?tls=d", /"tls" is not known/],
      ["nbd://h/?tls-certificates=d", /no use without TLS, which is nbds:/],
      ["nbds://h/?tls-certificates=", /its tls-certificates is empty/],
      ["nbds://h/?tls-psk-file=d", /pre-shared keys \(PSK\)/],
      ["nbds://h/?tls-username=d", /pre-shared keys \(PSK\)/],
      ["nbds://me@h/", /pre-shared keys \(PSK\)/],
      ["nbds://h/?tls-verify-peer=0", /is always checked/],
      [`nbd://h/${"x".repeat(5000)}`, /more than 4096 bytes/],
    ] as const
  ) {
    const error = assertThrows(() => parseNbdUri(uri), UserError);
    assertMatch(error.message, why);
    assertMatch(error.message, /write nbd:\/\/HOST/);
  }
});
