// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Measures images on a web server beside nbdkit's curl plugin with nbdfuse,
 * interleaved, with and without a delay of the server.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { formatTable } from "../../src/cli/output/table.ts";
import { findMount } from "../../src/linux/mount/mountinfo.ts";
import { spreadOf } from "../report/statistics.ts";
import { Guard, quote } from "../servers/guard.ts";
import { type ProcessGroup, spawnGroup } from "../servers/process_group.ts";
import { rotate } from "../servers/rotate.ts";
import { withUringSetting } from "../servers/uring_setting.ts";
import { CELLS, type HttpCell } from "./cells.ts";
import { type HttpServer, SERVERS } from "./servers.ts";

const HELP = `Usage: deno task bench:http [OPTIONS]

Serves an image by nginx, shows it as a file by mqfuse and by nbdkit's curl plugin
with nbdfuse, and reads it by fio. Each round takes all servers in turn, each with
a mount of its own. Prints medians of MiB/s with the least and the greatest value,
and ratios to nbdfuse, taken within each round: above 1, mqfuse is faster. Writes Y
to /sys/module/fuse/parameters/enable_uring while it mounts what uses io_uring, and
restores what was there. Needs root, fio, nginx, nbdkit and nbdfuse.

Options:
  --directory DIR  where the image is made (default: /dev/shm)
  --size MIB       the image's size (default: 512)
  --seconds N      how long each measurement takes (default: 4)
  --rounds N       measure each server N times (default: 3)
  --cells LIST     only cells whose names have one of these in them
  --servers LIST   only servers whose names have one of these in them`;

const options = parseArgs(Deno.args, {
  string: ["directory", "size", "seconds", "rounds", "cells", "servers"],
  boolean: ["help"],
  default: { directory: "/dev/shm", size: "512", seconds: "4", rounds: "3" },
});
const MOUNT_MS = 20_000;
const MIB = 1 << 20;

if (options.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const cells = chosen(CELLS, options.cells);
  const servers = chosen(SERVERS, options.servers);
  const results = new Map<string, number[]>();
  await using guard = new Guard();
  const directory = await Deno.makeTempDir({
    dir: options.directory,
    prefix: "mqfuse_http_",
  });
  const mountpoint = `${directory}/mnt.img`;
  await guard.add(`umount -l ${quote(mountpoint)}; rm -rf ${quote(directory)}`);
  await makeImage(`${directory}/web.img`, Number(options.size));
  const ports = { web: freePort(), proxy: freePort() };
  await startNginx(directory, ports.web, guard);
  for (const delayMs of new Set(cells.map((cell) => cell.delayMs))) {
    const port = delayMs === 0 ? ports.web : ports.proxy;
    const proxy = delayMs === 0
      ? null
      : await startProxy(ports.proxy, ports.web, delayMs, directory, guard);
    const url = `http://127.0.0.1:${port}/web.img`;
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const cell of cells.filter((each) => each.delayMs === delayMs)) {
        for (const server of rotate(servers, round)) {
          console.error(`Round ${round + 1}: ${cell.name}: ${server.name}`);
          const speed = await measure(server, cell, url, mountpoint, guard);
          const key = `${cell.name}/${server.name}`;
          results.set(key, [...results.get(key) ?? [], speed]);
        }
      }
    }
    proxy?.kill("SIGKILL");
  }
  for (const line of report(cells, servers, results)) console.log(line);
}

function chosen<T extends { readonly name: string }>(
  all: readonly T[],
  list: string | undefined,
): T[] {
  const parts = list?.split(",");
  return all.filter(({ name }) =>
    parts === undefined || parts.some((part) => name.includes(part))
  );
}

/** Makes an image whose bytes differ from block to block. */
async function makeImage(path: string, mib: number): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  const part = new Uint8Array(MIB);
  for (let at = 0; at < MIB; at += 65_536) {
    crypto.getRandomValues(part.subarray(at, at + 65_536));
  }
  for (let i = 0; i < mib; i++) {
    part[0] = i;
    part[4096] = i >> 8;
    await file.write(part);
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function startNginx(
  directory: string,
  port: number,
  guard: Guard,
): Promise<void> {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${directory}/temp;`).join(" ");
  await Deno.writeTextFile(
    `${directory}/nginx.conf`,
    `user root; daemon off; pid ${directory}/pid; error_log ${directory}/log; events {}
http { access_log off; sendfile on; keepalive_requests 1000000; ${paths}
server { listen 127.0.0.1:${port}; root ${directory}; } }
`,
  );
  await started(
    ["nginx", "-p", directory, "-c", `${directory}/nginx.conf`],
    directory,
    guard,
    () => listens(port),
  );
}

function startProxy(
  port: number,
  web: number,
  delayMs: number,
  directory: string,
  guard: Guard,
): Promise<ProcessGroup> {
  const program = new URL("./delay_proxy.ts", import.meta.url).pathname;
  const args = [port, web, delayMs].map(String);
  return started(
    [Deno.execPath(), "run", "--allow-net", program, ...args],
    directory,
    guard,
    () => listens(port),
  );
}

/** Starts a process, and waits until it is ready. */
async function started(
  command: readonly string[],
  directory: string,
  guard: Guard,
  isReady: () => boolean | Promise<boolean>,
): Promise<ProcessGroup> {
  const group = spawnGroup(command, { directory });
  await guard.add(`kill -KILL -- -${group.id} 2>/dev/null`);
  const deadline = performance.now() + MOUNT_MS;
  while (!await isReady()) {
    if (group.code !== null || performance.now() > deadline) {
      const { stderr } = await group.output();
      throw new Error(`${command.join(" ")} does not start: ${stderr}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return group;
}

async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** MiB a second of one run. */
async function measure(
  server: HttpServer,
  cell: HttpCell,
  url: string,
  mountpoint: string,
  guard: Guard,
): Promise<number> {
  await Deno.writeTextFile(mountpoint, "");
  // Its Workers register their rings after the mount is there, and the kernel
  // looks at the setting then too.
  return await withUringSetting(server.setting, guard, async () => {
    const group = await started(
      server.command(url, mountpoint),
      "/",
      guard,
      () => findMount(mountpoint) !== null,
    );
    try {
      if (cell.warm !== undefined) {
        const size = `--size=${cell.warm}`;
        await fio(mountpoint, ["--rw=read", "--bs=1M", size], "60");
      }
      return await fio(
        mountpoint,
        [...cell.fio, "--time_based"],
        options.seconds,
      );
    } finally {
      await new Deno.Command("umount", { args: ["-l", mountpoint] }).output();
      if (!await group.ended(MOUNT_MS)) group.kill("SIGKILL");
    }
  });
}

async function fio(
  path: string,
  args: readonly string[],
  seconds: string,
): Promise<number> {
  const { code, stdout, stderr } = await new Deno.Command("fio", {
    args: [
      ..."--name=j --direct=1 --ioengine=libaio --readonly".split(" "),
      ..."--output-format=json --allow_file_create=0".split(" "),
      `--filename=${path}`,
      `--runtime=${seconds}`,
      ...args,
    ],
  }).output();
  const text = new TextDecoder().decode(code === 0 ? stdout : stderr);
  if (code !== 0) throw new Error(`fio failed: ${text}`);
  const { jobs: [job] } = JSON.parse(text.slice(text.indexOf("{")));
  return job.read.bw_bytes / MIB;
}

function report(
  cells: readonly HttpCell[],
  servers: readonly HttpServer[],
  results: ReadonlyMap<string, number[]>,
): string[] {
  const [peer, ...others] = servers.map(({ name }) => name);
  const speeds = (cell: string, server: string) =>
    results.get(`${cell}/${server}`)!;
  const ratios = (cell: string, server: string) =>
    speeds(cell, server).map((speed, i) => speed / speeds(cell, peer!)[i]!);
  return formatTable([
    ["MiB/s", peer!, ...others, ...others.map((name) => `${name}: ratio`)],
    ...cells.map(({ name }) => [
      name,
      ...[peer!, ...others].map((each) => shown(speeds(name, each), 1)),
      ...others.map((each) => shown(ratios(name, each), 2)),
    ]),
  ]);
}

/** The median, and the least and the greatest value. */
function shown(values: readonly number[], digits: number): string {
  const { median, least, greatest } = spreadOf(values);
  const [middle, low, high] = [median, least, greatest].map((value) =>
    value.toFixed(digits)
  );
  return `${middle} (${low} to ${high})`;
}
