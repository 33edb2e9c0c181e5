/**
 * The servers that show the images as files.
 *
 * @module
 */
import type { ServerKind } from "../servers/servers.ts";
import type { FormatImages } from "./images.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** Shows the streamOptimized VMDK: mqfuse, and QEMU with I/O threads or none. */
export function vmdkServers({ vmdk }: FormatImages): ServerKind[] {
  return [
    mqfuse("mqfuse", [`vmdk:${vmdk}`]),
    mqfuse("mqfuse-q1", ["--queues=1", `vmdk:${vmdk}`]),
    ...[0, 1, 2].map((threads) => qemu(vmdk, threads)),
  ];
}

/** Shows the disk whole, in pieces, and its partition; whole is there twice. */
export function costServers(
  { raw, firstPiece }: FormatImages,
): ServerKind[] {
  // The others have no passthrough, and all have the image open together.
  const how = ["--writable", "--no-lock"];
  return [
    mqfuse("raw", [...how, "--passthrough=off", raw]),
    mqfuse("raw-again", [...how, "--passthrough=off", raw]),
    mqfuse("parts", [...how, `parts:${firstPiece}`]),
    mqfuse("partition", [...how, "--partition=1", raw]),
  ];
}

function mqfuse(name: string, args: readonly string[]): ServerKind {
  return kind(name, [], ({ deno, mountpoint }) => [
    deno,
    ...["run", "--no-prompt", "--allow-ffi", MAIN, "export"],
    ...args,
    mountpoint,
  ]);
}

function qemu(image: string, threads: number): ServerKind {
  const names = Array.from({ length: threads }, (_, at) => `t${at}`);
  const file = { driver: "file", filename: image, locking: "off" };
  const node = { driver: "vmdk", file, "node-name": "image" };
  return kind(`qemu-t${threads}`, ["qemu"], ({ peers, mountpoint }) => [
    peers.qemu!,
    ...names.flatMap((name) => ["--object", `iothread,id=${name}`]),
    "--blockdev",
    JSON.stringify({ ...node, "read-only": true }),
    "--export",
    JSON.stringify({
      ...{ type: "fuse", id: "export", "node-name": "image", mountpoint },
      ...threads === 0 ? {} : { iothread: names },
    }),
  ]);
}

function kind(
  name: string,
  needs: ServerKind["needs"],
  command: (setup: Parameters<ServerKind["commands"]>[0]) => string[],
): ServerKind {
  const commands: ServerKind["commands"] = (setup) => [command(setup)];
  return { name, variant: "", drivers: [], needs, setting: null, commands };
}
