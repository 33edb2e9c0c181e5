/**
 * A smoke run of exports on older kernels of Debian, in a guest: `deno task
 * guest:kernels [OPTIONS]` (root, Debian, x86_64).
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";

const HELP = `deno task guest:kernels [OPTIONS]

Boots a guest with each kernel, in which exports are read, written to, mounted
and ended. Ends with status 1 if one of them fails. A kernel takes about two
minutes under software emulation on a machine that is idle.

  --kernels LIST    oldest (5.10), v1 (6.1), newest (default: oldest,v1)
  --accel NAME      tcg or kvm (default: tcg, which every machine can run)
  --timeout N       seconds that a guest may take (default: 1800)
  --dir DIR         where the guest is built (default: /var/tmp/mqfuse-guest)
`;

const DEFAULTS = {
  kernels: "oldest,v1",
  accel: "tcg",
  timeout: "1800",
  dir: "/var/tmp/mqfuse-guest",
};

const HERE = new URL("./", import.meta.url).pathname;
const REPOSITORY = new URL("../../", import.meta.url).pathname;

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function run(
  program: string,
  args: readonly string[],
): Promise<boolean> {
  const command = new Deno.Command(program, {
    args: [...args],
    cwd: REPOSITORY,
    stdin: "null",
  });
  return (await command.spawn().status).success;
}

/** Boots one kernel; whether the smoke run in it has succeeded. */
async function tryKernel(
  kernel: string,
  files: string,
  { accel, timeout, dir }: typeof DEFAULTS,
): Promise<boolean> {
  const start = performance.now();
  const isOk = await run(`${HERE}boot`, [
    ...["--dir", dir, "--accel", accel, "--timeout", timeout],
    kernel,
    `${HERE}smoke`,
    ...["deno", "mqfuse.js"].map((name) => `${files}/${name}`),
  ]);
  const seconds = Math.round((performance.now() - start) / 1000);
  print(`${kernel}: ${isOk ? "ok" : "FAILED"} (${seconds} s)`);
  return isOk;
}

async function main(args: readonly string[]): Promise<number> {
  const { help, _: operands, ...given } = parseArgs([...args], {
    boolean: ["help"],
    string: Object.keys(DEFAULTS),
  });
  const unknown = [
    ...operands,
    ...Object.keys(given).filter((name) => !Object.hasOwn(DEFAULTS, name)),
  ];
  if (help || unknown.length > 0) {
    print(help ? HELP : `Cannot use ${unknown.join(", ")}: see --help`);
    return help ? 0 : 2;
  }
  const options = { ...DEFAULTS, ...given };
  const files = await Deno.makeTempDir({ prefix: "mqfuse_guest_" });
  try {
    // One file, so that the slow guest neither checks types nor finds modules.
    const bundle = ["bundle", "--quiet", "--platform", "deno"];
    const program = `${files}/mqfuse.js`;
    const isReady = await run(`${HERE}build`, [options.dir]) &&
      await run(Deno.execPath(), [...bundle, "-o", program, "main.ts"]);
    if (!isReady) return 1;
    await Deno.symlink(Deno.execPath(), `${files}/deno`);
    let failures = 0;
    for (const kernel of options.kernels.split(",")) {
      if (!await tryKernel(kernel, files, options)) failures++;
    }
    return failures === 0 ? 0 : 1;
  } finally {
    await Deno.remove(files, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
