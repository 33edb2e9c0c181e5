/**
 * The package for npm, installed as a user does who has nothing but Node and npm.
 *
 * @module
 */
import { inDirectory, must, within } from "../mount/_harness.ts";

/** How long npm may take to download Deno. */
const INSTALL_MS = 240_000;

const BUILD = new URL("../../packaging/build_npm.ts", import.meta.url).pathname;

/** The package, run once by npx. */
export interface InstalledPackage {
  /** How npx ended, and what it printed. */
  readonly npx: { code: number; output: string };
  /** The command that npx has installed. */
  readonly command: string;
  /** The option of npx that names the package. */
  readonly tarball: string;
  /** The environment that it was installed in: HOME and caches were empty. */
  readonly env: Record<string, string>;
}

/**
 * Builds the package, and runs `npx mqfuse demo` of it in an empty directory,
 * with an empty HOME and empty caches.
 */
export function withPackage(
  body: (installed: InstalledPackage) => Promise<void>,
): Promise<void> {
  return inDirectory(async (directory) => {
    for (const name of ["home", "cache", "empty"]) {
      await Deno.mkdir(`${directory}/${name}`);
    }
    const folder = `${directory}/package`;
    await must(Deno.execPath(), "run", "-A", BUILD, folder);
    const env = {
      PATH: "/usr/bin:/bin",
      HOME: `${directory}/home`,
      "npm_config_cache": `${directory}/cache`,
      "npm_config_update_notifier": "false",
    };
    const npm = (program: string, cwd: string, ...args: string[]) =>
      within(
        new Deno.Command(program, {
          args,
          cwd,
          env,
          clearEnv: true,
          stdin: "null",
        }).output(),
        program,
        INSTALL_MS,
      );
    const packed = await npm("npm", folder, "pack", "--silent");
    const file = new TextDecoder().decode(packed.stdout).trim();
    const tarball = `--package=${folder}/${file}`;
    const empty = `${directory}/empty`;
    const { code, stdout, stderr } = await npm(
      "npx",
      empty,
      "-y",
      tarball,
      "mqfuse",
      "demo",
    );
    const decoder = new TextDecoder();
    const output = decoder.decode(stdout) + decoder.decode(stderr);
    const command = await must(
      "find",
      `${directory}/cache/_npx`,
      "-path",
      "*/mqfuse/mqfuse",
    );
    await body({ npx: { code, output }, command, tarball, env });
  }, INSTALL_MS + 120_000);
}
