const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** What serves the directory that is measured. */
export interface TreeServer {
  readonly name: string;
  /**
   * The command that mounts `directory` on `mountpoint` and stays; `null` for
   * the directory itself.
   */
  readonly command:
    | ((directory: string, mountpoint: string) => string[])
    | null;
}

/** The servers that can be measured. */
export function treeServers(peers: {
  readonly passthroughLl: string | null;
}): TreeServer[] {
  const { passthroughLl } = peers;
  return [
    { name: "host", command: null },
    mirror("mirror", []),
    mirror("mirror, no passthrough", ["--passthrough=off"]),
    ...passthroughLl === null ? [] : [
      peer("passthrough_ll", passthroughLl, "default_permissions"),
      peer("passthrough_ll, unchecked", passthroughLl),
    ],
  ];
}

function peer(
  name: string,
  program: string,
  ...options: readonly string[]
): TreeServer {
  return {
    name,
    command: (directory, mountpoint) => [
      program,
      "-f",
      "-o",
      [`source=${directory}`, ...options].join(","),
      mountpoint,
    ],
  };
}

function mirror(name: string, options: readonly string[]): TreeServer {
  return {
    name,
    command: (directory, mountpoint) => [
      Deno.execPath(),
      "run",
      "--allow-ffi",
      MAIN,
      "mount",
      "--transport=device",
      ...options,
      `mirror:${directory}`,
      mountpoint,
    ],
  };
}
