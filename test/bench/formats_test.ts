import { assert, assertEquals } from "@std/assert";
import type { FormatImages } from "../../bench/formats/images.ts";
import { compared } from "../../bench/formats/report.ts";
import { costServers, vmdkServers } from "../../bench/formats/servers.ts";

const IMAGES: FormatImages = {
  raw: "/d/disk.img",
  firstPiece: "/d/piece.0",
  vmdk: "/d/disk.vmdk",
  partitionSize: 1 << 20,
};
const SETUP = {
  driver: "file" as const,
  image: "",
  size: 0,
  mountpoint: "/d/mnt",
  socket: "/d/sock",
  deno: "/bin/deno",
  peers: { qemu: "/new/qsd" },
};

Deno.test("figures are compared within rounds", () => {
  const figures = new Map([["raw", [1, 2, 4]], ["parts", [2, 2, 2]]]);
  assertEquals(compared("reads", figures, "raw", 1), [
    "reads  median  quartiles  to raw    quartiles  rounds",
    "raw       2.0    1.5-3.0   1.000  1.000-1.000       3",
    "parts     2.0    2.0-2.0   1.000  0.750-1.500       3",
  ]);
});

Deno.test("every server of a measurement has a name and one command", () => {
  const servers = [...vmdkServers(IMAGES), ...costServers(IMAGES)];
  assertEquals(new Set(servers.map(({ name }) => name)).size, servers.length);
  for (const { name, commands, needs } of servers) {
    const [command, ...others] = commands(SETUP);
    assertEquals(others, [], name);
    const isQemu = needs.includes("qemu");
    assertEquals(command![0], isQemu ? "/new/qsd" : "/bin/deno");
    assert(command!.some((word) => word.includes("/d/mnt")), name);
    assert(/vmdk|disk\.img|piece\.0/.test(command!.join(" ")), name);
  }
});
