import type { UringSetting } from "../servers/servers.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** What shows an image on a web server as a file. */
export interface HttpServer {
  readonly name: string;
  /** The value of enable_uring while it mounts; `null` if it does not matter. */
  readonly setting: UringSetting | null;
  /** The command that mounts `url` on the file `mountpoint` and stays. */
  command(url: string, mountpoint: string): string[];
}

/** The servers, the one to compare with first. */
export const SERVERS: readonly HttpServer[] = [
  {
    name: "nbdkit-curl + nbdfuse",
    setting: null,
    command: (url, mountpoint) => [
      ..."nbdfuse -r".split(" "),
      mountpoint,
      ..."--command nbdkit -s --exit-with-parent curl".split(" "),
      url,
    ],
  },
  mqfuse("mqfuse, io_uring", "Y", "uring"),
  mqfuse("mqfuse, /dev/fuse", null, "device"),
];

function mqfuse(
  name: string,
  setting: UringSetting | null,
  transport: string,
): HttpServer {
  return {
    name,
    setting,
    command: (url, mountpoint) => [
      Deno.execPath(),
      ..."run --allow-ffi".split(" "),
      MAIN,
      "export",
      "-q2",
      `--transport=${transport}`,
      url,
      mountpoint,
    ],
  };
}
