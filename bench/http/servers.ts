const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** What shows an image on a web server as a file. */
export interface HttpServer {
  readonly name: string;
  /** The command that mounts `url` on the file `mountpoint` and stays. */
  command(url: string, mountpoint: string): string[];
}

/** The servers, the one to compare with first. */
export const SERVERS: readonly HttpServer[] = [
  {
    name: "nbdkit-curl + nbdfuse",
    command: (url, mountpoint) => [
      ..."nbdfuse -r".split(" "),
      mountpoint,
      ..."--command nbdkit -s --exit-with-parent curl".split(" "),
      url,
    ],
  },
  mqfuse("mqfuse", []),
  mqfuse("mqfuse, /dev/fuse", ["--transport=device"]),
];

function mqfuse(name: string, options: readonly string[]): HttpServer {
  return {
    name,
    command: (url, mountpoint) => [
      Deno.execPath(),
      ..."run --allow-ffi".split(" "),
      MAIN,
      "export",
      "-q2",
      ...options,
      url,
      mountpoint,
    ],
  };
}
