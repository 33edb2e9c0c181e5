import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UserError } from "../../../src/base/user_error.ts";
import { parseNbdUri } from "../../../src/backends/protocols/nbd/uri.ts";

Deno.test("parseNbdUri() reads hosts, ports, sockets and names of exports", () => {
  const tcp = (host: string, port = 10809) =>
    ({ kind: "tcp", host, port }) as const;
  for (
    const [uri, address, exportName, tls] of [
      ["nbd://host", tcp("host"), "", false],
      ["nbd://host/", tcp("host"), "", false],
      ["nbd://host:99/a%20b/c", tcp("host", 99), "a b/c", false],
      ["nbds://[::1]:7/x", tcp("::1", 7), "x", true],
      [
        "nbd+unix:///disk?socket=/run/n%20bd",
        { kind: "unix", path: "/run/n bd" },
        "disk",
        false,
      ],
      ["nbds+unix://?socket=s", { kind: "unix", path: "s" }, "", true],
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
      ["nbd://h/?tls-certificates=d", /"tls-certificates" is not known/],
      [`nbd://h/${"x".repeat(5000)}`, /more than 4096 bytes/],
    ] as const
  ) {
    const error = assertThrows(() => parseNbdUri(uri), UserError);
    assertMatch(error.message, why);
    assertMatch(error.message, /write nbd:\/\/HOST/);
  }
});
