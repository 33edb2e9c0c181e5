import { assertEquals, assertThrows } from "@std/assert";
import { FAULT_NAMES } from "../../sim/mod.ts";
import { readArguments } from "../../src/cli/options.ts";
import { SIM } from "../../src/cli/sim_command.ts";
import { readSimRequest } from "../../src/cli/sim_options.ts";
import { UsageError } from "../../src/cli/usage_error.ts";

function request(...args: string[]) {
  return readSimRequest(readArguments(args, SIM.options));
}

function refusal(...args: string[]): string {
  return assertThrows(() => request(...args), UsageError).message;
}

Deno.test("readSimRequest() leaves out what was not said", () => {
  assertEquals(request(), {
    simulation: {},
    table: false,
    plot: null,
    cores: null,
  });
});

Deno.test("readSimRequest() reads every option", () => {
  const { simulation, ...rest } = request(
    "--queues=8",
    "--jobs=2",
    "--depth=32",
    "--bs=64k",
    "--rw=randrw",
    "--requests=100",
    "--policy=herd",
    "--cores=6",
    "--seed=4294967295",
    "--faults=late-reply,abort",
    "--table",
    "--plot=out.svg",
  );
  assertEquals(simulation, {
    queues: 8,
    jobs: 2,
    depth: 32,
    blockSize: 65536,
    pattern: "randrw",
    requests: 100,
    policy: "herd",
    cores: 6,
    seed: 4294967295,
    faults: ["late-reply", "abort"],
  });
  assertEquals(rest, { table: true, plot: "out.svg", cores: 6 });
});

Deno.test("readSimRequest() reads faults by name, all, none or by chance", () => {
  assertEquals(request("--faults=none").simulation, {});
  assertEquals(request("--faults=all").simulation, { faults: FAULT_NAMES });
  const { faults, seed } = request("--faults=swarm", "--seed=3").simulation;
  assertEquals([faults, seed], ["swarm", 3]);
});

Deno.test("readSimRequest() knows every policy and every pattern", () => {
  for (const policy of ["round-robin", "exclusive-fifo", "herd", "uring"]) {
    const { simulation } = request(`--policy=${policy}`);
    assertEquals(Object.entries(simulation), [["policy", policy]]);
  }
  const patterns = ["read", "write", "randread", "randwrite", "rw", "randrw"];
  for (const pattern of patterns) {
    const { simulation } = request(`--rw=${pattern}`);
    assertEquals(Object.entries(simulation), [["pattern", pattern]]);
  }
});

Deno.test("readSimRequest() says in a sentence what it cannot use", () => {
  const sentences = {
    "disk.img":
      "Cannot make sense of the operand disk.img; usage: sim [OPTIONS]",
    "--queues=0":
      "Cannot use 0 (--queues): expected a whole number from 1 to 1024",
    "--jobs=1025":
      "Cannot use 1025 (--jobs): expected a whole number from 1 to 1024",
    "--depth=x":
      "Cannot use x (--depth): expected a whole number from 1 to 1024",
    "--cores=1.5":
      "Cannot use 1.5 (--cores): expected a whole number from 1 to 1024",
    "--requests=0":
      "Cannot use 0 (--requests): expected a whole number from 1 to 10000000",
    "--seed=4294967296":
      "Cannot use 4294967296 (--seed): expected a whole number from 0 to 4294967295",
    "--seed=-1":
      "Cannot use -1 (--seed): expected a whole number from 0 to 4294967295",
    "--bs=2M":
      "Cannot use 2M (--bs): expected a size from 1 to 1M, 4k for instance",
    "--bs=4q":
      "Cannot use 4q (--bs): expected a size from 1 to 1M, 4k for instance",
    "--policy=hard":
      "Cannot use hard (--policy): expected round-robin, exclusive-fifo, herd, uring; did you mean herd?",
    "--rw=both":
      "Cannot use both (--rw): expected read, write, rw, randread, randwrite, randrw",
  };
  for (const [option, sentence] of Object.entries(sentences)) {
    assertEquals(refusal(option), sentence);
  }
  assertEquals(
    refusal("--faults=late-replies").replace(/expected .*;/, "expected ...;"),
    "Cannot use late-replies (--faults): expected ...; did you mean late-reply?",
  );
  assertEquals(
    refusal("--faults=swarm", "--queues=2"),
    "Cannot use --faults=swarm with other options: it draws them from the seed; give --seed alone",
  );
});
