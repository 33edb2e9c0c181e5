/** One image that several hosts show at once. */
import { assertEquals, assertMatch } from "@std/assert";
import {
  assertSame,
  eventually,
  exists,
  ExportProcess,
  MIB,
  mountTest,
  must,
  pause,
  randomFile,
  runMain,
  shell,
} from "./_harness.ts";
import { Hosts } from "./_hosts.ts";

const PROGRAMS = ["ip", "nsenter", "nbdkit", "qemu-img", "cmp", "dd"];

/** nbdkit on the host that stores, which lets others only read. */
class Store implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
  }

  static async start(
    hosts: Hosts,
    directory: string,
    image: string,
  ): Promise<Store> {
    const [program = "", ...enter] = hosts.onStore;
    const started = `${directory}/store.pid`;
    const serve = ["nbdkit", "-f", "-r", "-P", started, "file", image];
    const store = new Store(
      new Deno.Command(program, {
        args: [...enter, "timeout", "-k", "2", "60", ...serve],
        stdin: "null",
        stderr: "null",
      }).spawn(),
    );
    await eventually(() => exists(started), "nbdkit listens");
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }
}

mountTest(
  "two hosts share an image that both read, each with changes of its own",
  async (directory) => {
    const image = `${directory}/disk.img`;
    await randomFile(image, 16 * MIB);
    const before = `${directory}/before.img`;
    await must("cp", image, before);
    const [one = "", two = ""] = ["one", "two"].map((name) =>
      `${directory}/${name}.img`
    );
    for (const path of [one, two]) await Deno.writeTextFile(path, "");
    await using hosts = await Hosts.create(2);
    await using _store = await Store.start(hosts, directory, image);
    const source = (host: number) => `nbd://${hosts.addressOfStore(host)}/`;
    const show = (host: number, path: string, ...options: string[]) =>
      ExportProcess.start(["-q2", ...options, source(host), path], {
        wrapper: hosts.on(host),
      });

    const refused = await runMain(["export", "-w", source(1), one], {
      wrapper: hosts.on(1),
    });
    assertEquals(refused.code, 1);
    assertMatch(refused.stderr, /its server allows only reading/);
    // Each host has one cable, so it cannot take the way of another one.
    const astray = await runMain(["export", source(2), one], {
      wrapper: hosts.on(1),
    });
    assertEquals(astray.code, 1);
    assertMatch(astray.stderr, /nothing can be reached at 10\.77\.2\.1/);

    await using first = await show(1, one, "-w", "--overlay=memory");
    await using second = await show(2, two);
    await Promise.all([assertSame(one, image), assertSame(two, image)]);

    // What one host writes is its own.
    const write = `dd if=/dev/zero of="$1" bs=1M seek=1 count=1 \\
      conv=notrunc,fsync status=none && ! cmp -s "$1" "$2"`;
    assertEquals((await shell(write, one, image)).code, 0);
    await assertSame(two, before);
    await assertSame(image, before);

    // A host whose cable is pulled waits; the other one reads on.
    await hosts.setCable(2, "down");
    const drop = `dd if="$1" of=/dev/null bs=1M iflag=direct status=none`;
    const waiting = shell(drop, two);
    const hasEnded = waiting.then(() => true);
    assertEquals((await shell(drop, one)).code, 0);
    assertEquals(await Promise.race([hasEnded, pause(300)]), undefined);
    await hosts.setCable(2, "up");
    const { code, stderr } = await waiting;
    assertEquals(code, 0, stderr);
    await assertSame(two, before);

    assertEquals((await first.stop()).code, 0);
    assertEquals((await second.stop()).code, 0);
  },
  PROGRAMS,
);
