import { assertEquals, assertThrows } from "@std/assert";
import { FAULT_NAMES } from "../../sim/mod.ts";
import { readArguments } from "../../src/cli/arguments/read_arguments.ts";
import { SIM } from "../../src/cli/commands/sim.ts";
import { readSimulation } from "../../src/cli/commands/sim_arguments.ts";
import { UsageError } from "../../src/cli/arguments/options.ts";

function request(...args: string[]) {
  return readSimulation(readArguments(args, SIM.options));
}

function refusal(...args: string[]): string {
  return assertThrows(() => request(...args), UsageError).message;
}

Deno.test("readSimulation() leaves out options that were not given", () => {
  assertEquals(request(), {});
});

Deno.test("readSimulation() reads every option", () => {
  const simulation = request(
    "--queues=8",
    "--jobs=2",
    "--depth=32",
    "--bs=64k",
    "--rw=randrw",
    "--requests=100",
    "--policy=herd",
    "--cores=6",
    "--seed=4294967295",
    "--faults=delayed-reply,abort",
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
    faults: ["delayed-reply", "abort"],
  });
});

Deno.test("readSimulation() reads faults by name, all, none or by chance", () => {
  assertEquals(request("--faults=none"), {});
  assertEquals(request("--faults=all"), { faults: FAULT_NAMES });
  const { faults, seed } = request("--faults=swarm", "--seed=3");
  assertEquals([faults, seed], ["swarm", 3]);
});

Deno.test("readSimulation() knows every policy and every pattern", () => {
  for (const policy of ["round-robin", "exclusive-fifo", "herd", "uring"]) {
    const simulation = request(`--policy=${policy}`);
    assertEquals(Object.entries(simulation), [["policy", policy]]);
  }
  const patterns = ["read", "write", "randread", "randwrite", "rw", "randrw"];
  for (const pattern of patterns) {
    const simulation = request(`--rw=${pattern}`);
    assertEquals(Object.entries(simulation), [["pattern", pattern]]);
  }
});

Deno.test("readSimulation() names in one sentence what it cannot use", () => {
  const sentences = {
    "disk.img": "Cannot use the operand disk.img; usage: sim [OPTIONS]",
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
    "--bs=2M": "Cannot use 2M (--bs): expected a size from 1 to 1M",
    "--bs=4q":
      'Cannot read size "4q": expected digits and one of k, M, G, T, P, E, such as 512M (--bs)',
    "--policy=hard":
      "Cannot use hard (--policy): expected one of round-robin, exclusive-fifo, herd, uring; did you mean herd?",
    "--rw=both":
      "Cannot use both (--rw): expected one of read, write, rw, randread, randwrite, randrw",
  };
  for (const [option, sentence] of Object.entries(sentences)) {
    assertEquals(refusal(option), sentence);
  }
  assertEquals(
    refusal("--faults=delayed-replies").replace(
      /expected .*;/,
      "expected ...;",
    ),
    "Cannot use delayed-replies (--faults): expected ...; did you mean delayed-reply?",
  );
  assertEquals(
    refusal("--faults=swarm", "--queues=2"),
    "Cannot use --faults=swarm with other options: it draws them from the seed; give --seed alone",
  );
});
