/**
 * Trials in a guest, which may hang: a loop-mounted file system on an export
 * whose server has little memory (root, Debian, x86_64).
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { runTrial, type Server, type Trial, trialName } from "./trial.ts";

const HELP = `deno task guest [OPTIONS]

Boots a guest for each trial, in which a server with a limited memory exports an
image, and programs write to an ext4 file system on a loop device on that export.
Ends with status 1 if sync(1) does not return with --loop-safe.

  --seconds N       how long programs write (default: 30)
  --sync-limit N    how long sync(1) may take in seconds (default: 300)
  --limits LIST     MiB of the server's memory cgroup (default: 128,192,256)
  --kernels LIST    newest, v1: with memory cgroups of version 2 or 1
                    (default: newest,v1)
  --transports LIST device, uring; v1 and QEMU have device only
                    (default: device,uring)
  --servers LIST    plain, direct, loop-safe, qemu
                    (default: loop-safe,plain,qemu)
  --writers PLACE   outside or inside of the server's cgroup (default: outside)
  --parallel N      guests at the same time (default: 1)
  --logs DIR        where the output of each guest goes
                    (default: /var/tmp/mqfuse-guest/logs)
`;
/** The defaults of all options with a value. */
const DEFAULTS = {
  seconds: "30",
  "sync-limit": "300",
  limits: "128,192,256",
  kernels: "newest,v1",
  transports: "device,uring",
  servers: "loop-safe,plain,qemu",
  writers: "outside",
  parallel: "1",
  logs: "/var/tmp/mqfuse-guest/logs",
};

/** The trials that the command line selects. */
function trialsOf(values: typeof DEFAULTS): Trial[] {
  const list = (name: "limits" | "kernels" | "transports" | "servers") =>
    values[name].split(",");
  const trials: Trial[] = [];
  for (const server of list("servers") as Server[]) {
    for (const kernel of list("kernels")) {
      for (const transport of list("transports")) {
        const possible = transport === "device" ||
          (kernel !== "v1" && server !== "qemu");
        if (!possible) continue;
        for (const limit of list("limits")) {
          trials.push({
            server,
            kernel,
            transport,
            limitMib: Number(limit),
            seconds: Number(values.seconds),
            syncLimitS: Number(values["sync-limit"]),
            writers: values.writers,
          });
        }
      }
    }
  }
  return trials;
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function build(): Promise<void> {
  const script = new URL("./build", import.meta.url).pathname;
  const { success } = await new Deno.Command("nice", {
    args: ["-n", "15", script],
  }).spawn().status;
  if (!success) throw new Error("The guest could not be built");
}

async function main(args: readonly string[]): Promise<number> {
  const { help, ...given } = parseArgs([...args], {
    boolean: ["help"],
    string: Object.keys(DEFAULTS),
  });
  if (help) {
    print(HELP);
    return 0;
  }
  const { _: operands, ...options } = given;
  const unknown = [
    ...operands,
    ...Object.keys(options).filter((name) => !Object.hasOwn(DEFAULTS, name)),
  ];
  if (unknown.length > 0) {
    print(`Cannot use ${unknown.join(", ")}: --help lists the options`);
    return 2;
  }
  const values = { ...DEFAULTS, ...options };
  const trials = trialsOf(values);
  await build();
  await Deno.mkdir(values.logs, { recursive: true });
  const waiting = trials.values();
  let failures = 0;
  const lane = async () => {
    // Lanes share the iterator, so that each trial runs once.
    for (const trial of waiting) {
      const { verdict, text } = await runTrial(trial, values.logs);
      print(`${trialName(trial)}: ${verdict} (${text})`);
      if (trial.server === "loop-safe" && verdict !== "returns") failures++;
    }
  };
  await Promise.all(Array.from({ length: Number(values.parallel) }, lane));
  const promised = trials.filter(({ server }) => server === "loop-safe").length;
  print(`${failures} of ${promised} trials with --loop-safe failed`);
  return failures === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
