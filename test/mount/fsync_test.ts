/** Which programs are told that the medium has lost data, and when. */
import { assertEquals, assertMatch } from "@std/assert";
import { ExportProcess, mountTest, must, within } from "./_harness.ts";
import { uringTest } from "./_uring.ts";
import { emptyFile } from "../torture/_harness.ts";
import { LOST_FROM, makeFailingDevice } from "../torture/_failing_device.ts";

const PROGRAMS = ["python3", "losetup", "mount"];

/** Registers a test over both transports. */
function bothTransports(
  name: string,
  body: (directory: string, transport: string) => Promise<void>,
): void {
  for (
    const [transport, register] of [
      ["device", mountTest],
      ["uring", uringTest],
    ] as const
  ) {
    register(
      `${name}, over ${transport}`,
      (directory: string) => body(directory, `--transport=${transport}`),
      PROGRAMS,
    );
  }
}

/** Helpers of the clients: results of calls as 0 or the name of the errno. */
const PRELUDE = `
import errno, os, subprocess, sys
path, lost = sys.argv[1], int(sys.argv[2])
sys.stdout.reconfigure(line_buffering=True)
def result(call, *args):
    try:
        call(*args)
        return "0"
    except OSError as error:
        return errno.errorcode[error.errno]
def lose(fd, number):
    os.pwrite(fd, b"x" * 65536, lost + number * 65536)
`;

/** Runs a client on a file; returns the words that it prints. */
async function client(script: string, path: string): Promise<string> {
  return await must("python3", "-c", PRELUDE + script, path, `${LOST_FROM}`);
}

/** What programs do, one after another, and what they are told. */
const CASES: Record<string, readonly [script: string, told: string]> = {
  "two writers": [
    `
a, b = (os.open(path, os.O_RDWR) for _ in range(2))
lose(a, 1); lose(b, 2)
print(*(result(os.fsync, fd) for fd in (a, b, a, b)))
os.close(a); os.close(b)
`,
    "EIO EIO 0 0",
  ],
  "a bystander that closes the file": [
    `
a = os.open(path, os.O_RDWR)
lose(a, 3)
subprocess.run(["dd", "if=" + path, "of=/dev/null", "count=1", "status=none"], check=True)
b = os.open(path, os.O_RDWR)
result(os.close, b)
print(result(os.fsync, a), result(os.fsync, a))
os.close(a)
`,
    "EIO 0",
  ],
  "a forked child that exits": [
    `
a = os.open(path, os.O_RDWR)
lose(a, 4)
if os.fork() == 0:
    os._exit(0)
os.wait()
print(result(os.fsync, a), result(os.fsync, a))
os.close(a)
`,
    "EIO 0",
  ],
  "the next opener": [
    `
a = os.open(path, os.O_RDWR)
lose(a, 5)
result(os.close, a)
b = os.open(path, os.O_RDONLY)
first = result(os.fsync, b)
c = os.open(path, os.O_RDWR)
print(first, result(os.fsync, b), result(os.fsync, c))
`,
    "EIO 0 0",
  ],
};

bothTransports(
  "a lost write is told to each program once, as by the device",
  async (directory, transport) => {
    await using device = await makeFailingDevice(directory, "a");
    await using below = await makeFailingDevice(directory, "b");
    const mountpoint = await emptyFile(`${directory}/mnt.img`);
    const args = ["-wq4", transport, below.path, mountpoint];
    await using process = await ExportProcess.start(args);
    // A device forgets its errors with its last user.
    using _ = await Deno.open(device.path);
    const cases = Object.entries(CASES);
    const script = cases.map(([, [script]]) => script).join("");
    const told = cases.map(([name, [, told]]) => `${name}: ${told}`);
    for (const path of [device.path, mountpoint]) {
      const lines = (await client(script, path)).split("\n");
      const found = lines.map((line, i) => `${cases[i]?.[0]}: ${line}`);
      assertEquals(found, told, path);
    }
    const { code, stderr } = await process.stop();
    assertEquals(code, 0, stderr);
  },
);

bothTransports(
  "an error that no program was told of ends the export with status 1",
  async (directory, transport) => {
    await using device = await makeFailingDevice(directory, "a");
    const mountpoint = await emptyFile(`${directory}/mnt.img`);
    const args = ["-wq2", transport, device.path, mountpoint];
    for (const asked of [false, true]) {
      await using process = await ExportProcess.start(args);
      // The end of the program closes the file, and drops the error of that.
      const script = `
a = os.open(path, os.O_WRONLY)
lose(a, 9)
print(result(os.fsync, a) if ${asked ? "True" : "False"} else "left")
os._exit(0)
`;
      const told = await client(script, mountpoint);
      assertEquals(told, asked ? "EIO" : "left");
      process.signal("SIGTERM");
      const { code, stderr } = await within(process.ended, "ending");
      assertEquals(code, asked ? 0 : 1, stderr);
      if (!asked) assertMatch(stderr, /Cannot (flush|keep all).* \(EIO\)/);
    }
  },
);

bothTransports(
  "a write with O_DSYNC, O_SYNC or RWF_DSYNC is durable before it returns",
  async (directory, transport) => {
    await using device = await makeFailingDevice(directory, "a");
    const mountpoint = await emptyFile(`${directory}/mnt.img`);
    const args = ["-wq2", transport, device.path, mountpoint];
    await using process = await ExportProcess.start(args);
    const script = `
import mmap
medium = open(sys.argv[3], "rb", 0)
memory = mmap.mmap(-1, 4096)
ways = [(os.O_DSYNC, 0), (os.O_SYNC, 0), (0, os.RWF_DSYNC), (0, os.RWF_SYNC),
        (os.O_DIRECT | os.O_DSYNC, 0)]
for number, (flags, how) in enumerate(ways):
    fd = os.open(path, os.O_RDWR | flags)
    memory[:] = bytes([65 + number]) * 4096
    assert os.pwritev(fd, [memory], 8192 * number, how) == 4096
    medium.seek(8192 * number)
    assert medium.read(4096) == memory[:], (flags, how)
    try:
        os.pwritev(fd, [memory], lost + 8192 * number, how)
        raise AssertionError((flags, how))
    except OSError as error:
        assert error.errno == errno.EIO, error
    os.close(fd)
`;
    const more = [mountpoint, `${LOST_FROM}`, device.file];
    await must("python3", "-c", PRELUDE + script, ...more);
    const { code, stderr } = await process.stop();
    assertEquals(code, 0, stderr);
  },
);
