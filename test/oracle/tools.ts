/**
 * QEMU's tools, of this system or of a Debian system in a directory.
 *
 * @module
 */

/** Seconds after which a tool that hangs is ended. */
const LIMIT_S = 120;

/** What a tool has printed, and its exit code. */
export interface ToolResult {
  readonly code: number;
  readonly output: string;
}

/** `qemu-img` and `qemu-io` of one version. */
export class QemuTools {
  readonly #tree: string | null;

  /**
   * Chooses a version.
   *
   * @param tree A directory with a Debian system for x86_64, whose own dynamic
   * loader runs the tools; `null` for those of this system.
   */
  constructor(tree: string | null = null) {
    this.#tree = tree;
  }

  /** Their version, such as `7.2.22`. */
  async version(): Promise<string> {
    const { output } = await this.run("/", "qemu-img", "--version");
    return /version (\d+(?:\.\d+)*)/.exec(output)?.[1] ?? output;
  }

  /** Runs a tool to its end. */
  async run(
    directory: string,
    tool: "qemu-img" | "qemu-io",
    ...args: string[]
  ): Promise<ToolResult> {
    const { code, stdout, stderr } = await new Deno.Command("timeout", {
      args: ["-k", "2", `${LIMIT_S}`, ...this.#program(tool), ...args],
      cwd: directory,
      env: { LC_ALL: "C" },
      stdin: "null",
    }).output();
    const text = new TextDecoder();
    return { code, output: text.decode(stdout) + text.decode(stderr) };
  }

  /** Runs `qemu-img`, which must succeed; returns what it prints. */
  async img(directory: string, ...args: string[]): Promise<string> {
    const { code, output } = await this.run(directory, "qemu-img", ...args);
    if (code === 0) return output;
    throw new Error(`qemu-img ${args.join(" ")} ended with ${code}: ${output}`);
  }

  /** Runs commands of `qemu-io` on an image, of which some may fail. */
  async io(
    directory: string,
    image: string,
    commands: readonly string[],
    format: "qcow2" | "raw" = "qcow2",
  ): Promise<void> {
    const list = commands.flatMap((command) => ["-c", command]);
    const args = ["-f", format, ...list, image];
    const { code, output } = await this.run(directory, "qemu-io", ...args);
    // 0 or 1: a command may be impossible for an image of its kind.
    if (code > 1) throw new Error(`qemu-io ended with ${code}: ${output}`);
  }

  #program(tool: string): string[] {
    const tree = this.#tree;
    if (tree === null) return [tool];
    return [
      `${tree}/usr/lib64/ld-linux-x86-64.so.2`,
      "--library-path",
      `${tree}/usr/lib/x86_64-linux-gnu`,
      "--argv0",
      tool,
      `${tree}/usr/bin/${tool}`,
    ];
  }
}
