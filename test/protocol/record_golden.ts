// deno-lint-ignore-file no-console -- a program that talks to a terminal
/**
 * Records golden messages of this machine's kernel, or converts wire logs to
 * golden messages: `deno task golden [LOG...]`. Needs root and /dev/fuse.
 *
 * @module
 */
import {
  BlockExport,
  exportCapabilities,
  ExportState,
} from "../../src/export/mod.ts";
import {
  DeviceQueue,
  handshake,
  NotificationQueue,
  type Notifier,
  serve,
  TraceNotifier,
  TraceQueue,
} from "../../src/queue/mod.ts";
import {
  encodeNotification,
  formatWireLine,
  type InitFlagName,
  parseWireLine,
  S_IF,
  type WireMessage,
} from "../../src/protocol/mod.ts";
import type { RequestHandler, TraceRecord } from "../../mod.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { mountBySyscall } from "../../src/linux/mount/mount_by_syscall.ts";
import { DeviceNotificationWriter } from "../../src/linux/fuse/notification_writer.ts";
import { openFuseDevice } from "../../src/linux/fuse/fuse_device.ts";
import { goldenFiles } from "./_golden.ts";
import { GoldenHandler } from "./_golden_handler.ts";
import { EXPORT_STEPS, OLD_STEPS, TREE_STEPS } from "./_golden_steps.ts";

const FOLDER = new URL("golden/", import.meta.url);
const PAYLOAD = 128 * 1024;

type Noted = WireMessage & { readonly note: string };

/** A server to mount, and the actions of its clients. */
interface Scene {
  readonly handler: RequestHandler;
  readonly flags: readonly InitFlagName[];
  readonly root: "file" | "directory";
  readonly steps: readonly string[];
  /** Notifications that the server sends at the end. */
  readonly tell?: (notifier: Notifier) => void;
}

async function record(scene: Scene): Promise<Noted[]> {
  const log: Noted[] = [];
  const path = scene.root === "file"
    ? await Deno.makeTempFile()
    : await Deno.makeTempDir();
  let note = "mount";
  const show = ({ queue, direction, wire }: TraceRecord) => {
    if (wire !== undefined) log.push({ queue, direction, bytes: wire, note });
  };
  const device = openFuseDevice();
  const queue = new TraceQueue(
    new DeviceQueue(device, { maxPayload: PAYLOAD }),
    show,
    { wire: true },
  );
  const mount = mountBySyscall({
    fd: device.fd,
    mountpoint: path,
    source: "golden",
    rootMode: scene.root === "file" ? S_IF.REG : S_IF.DIR,
    readOnly: false,
    allowOther: true,
    uid: 0,
    gid: 0,
    maxRead: PAYLOAD,
  });
  try {
    await handshake(queue, {
      flags: scene.flags,
      maxWrite: PAYLOAD,
      maxBackground: 12,
      congestionThreshold: 9,
    });
    const done = serve(queue, scene.handler, {
      report: (error, during) => console.error(during, error),
    });
    for (const step of scene.steps) {
      note = step;
      await client(step, path);
    }
    note = "the server tells";
    const writer = new DeviceNotificationWriter(device.fd);
    const notifier = new NotificationQueue(writer);
    scene.tell?.(new TraceNotifier(notifier, show, { wire: true }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    mount.unmount();
    await done;
    await writer.close();
  } finally {
    mount.unmount();
    queue.close();
    await Deno.remove(path, { recursive: true });
  }
  return log;
}

/** Runs a line of shell in the mount. This process must not access it itself. */
async function client(line: string, path: string): Promise<void> {
  const place = `if [ -d "$0" ]; then cd "$0"; fi; F="$0"; ${line}`;
  const { code, stderr } = await new Deno.Command("timeout", {
    args: ["-k", "1", "10", "sh", "-c", place, path],
    stdin: "null",
    stdout: "null",
  }).output();
  if (code === 0) return;
  console.error(`${line}: ${code} ${new TextDecoder().decode(stderr)}`);
}

const TREE_FLAGS: readonly InitFlagName[] = [
  "ASYNC_READ",
  "ATOMIC_O_TRUNC",
  "BIG_WRITES",
  "CREATE_SUPP_GROUP",
  "DO_READDIRPLUS",
  "FLOCK_LOCKS",
  "HAS_IOCTL_DIR",
  "INIT_EXT",
  "MAX_PAGES",
  "POSIX_LOCKS",
  "READDIRPLUS_AUTO",
  "SETXATTR_EXT",
];

function exportScene(): Scene {
  const size = 1 << 20;
  const backend = new MemoryBackend(createMemoryDisk(size));
  const state = ExportState.create({ size, mode: 0o600, uid: 0, gid: 0 });
  const rules = { writable: true, growable: true, allowOther: true };
  return {
    handler: new BlockExport({ backend, state, rules }),
    flags: exportCapabilities(rules).flags,
    root: "file",
    steps: EXPORT_STEPS,
  };
}

function tellAll(notifier: Notifier, handler: GoldenHandler): void {
  const root = 1n;
  const file = handler.nodeidOf("hello.txt");
  void notifier.notify(encodeNotification("STORE", {
    body: { nodeid: file },
    data: new TextEncoder().encode("stored in cache\n"),
  }));
  void notifier.notify(encodeNotification("RETRIEVE", {
    body: { notify_unique: 77n, nodeid: file, size: 16 },
  }));
  void notifier.notify(
    encodeNotification("INVAL_INODE", { body: { ino: root } }),
  );
  const name = "hello.txt";
  void notifier.notify(encodeNotification("INVAL_ENTRY", {
    body: { parent: root },
    name,
  }));
  void notifier.notify(encodeNotification("DELETE", {
    body: { parent: root, child: 999n },
    name: "gone",
  }));
  void notifier.notify(encodeNotification("POLL", { body: { kh: 1n } }));
  void notifier.notify(encodeNotification("INC_EPOCH"));
  void notifier.notify(encodeNotification("PRUNE", { nodeids: [2n, file] }));
}

async function recordAll(): Promise<Noted[]> {
  const tree = new GoldenHandler();
  const scenes: Scene[] = [
    exportScene(),
    {
      handler: tree,
      flags: TREE_FLAGS,
      root: "directory",
      steps: TREE_STEPS,
      tell: (queue) => tellAll(queue, tree),
    },
    {
      handler: new GoldenHandler({
        without: ["COPY_FILE_RANGE_64", "CREATE", "STATX"],
      }),
      flags: ["BIG_WRITES"],
      root: "directory",
      steps: OLD_STEPS,
    },
  ];
  const logs: Noted[] = [];
  for (const scene of scenes) logs.push(...await record(scene));
  return logs;
}

async function readLogs(paths: readonly string[]): Promise<Noted[]> {
  const log: Noted[] = [];
  for (const path of paths) {
    for (const line of (await Deno.readTextFile(path)).split("\n")) {
      const message = parseWireLine(line);
      if (message !== null) log.push({ note: path, ...message });
    }
  }
  return log;
}

/** A module that imports the files, so that tests need no permission. */
function indexOf(files: readonly string[]): string {
  const names = files.map((file) => file.replace(".txt", "").toUpperCase());
  return [
    "/**",
    " * The golden files. Generated by `deno task golden`.",
    " *",
    " * @module",
    " */",
    ...files.map((file, i) =>
      `import ${names[i]} from "./${file}" with { type: "text" };`
    ),
    "",
    "/** The text of each golden file by its name. */",
    "export const GOLDEN: Readonly<Record<string, string>> = {",
    ...names.map((name) => `  ${name},`),
    "};",
    "",
  ].join("\n");
}

async function main(args: readonly string[]): Promise<void> {
  const log = args.length > 0 ? await readLogs(args) : await recordAll();
  const save = Deno.env.get("MQFUSE_GOLDEN_LOG");
  if (save !== undefined) {
    await Deno.writeTextFile(save, log.map(formatWireLine).join("\n") + "\n");
  }
  const release = /^\d+\.\d+/.exec(Deno.osRelease())?.[0] ?? "";
  const files = goldenFiles(log, `Linux ${release}`);
  for await (const { name } of Deno.readDir(FOLDER)) {
    await Deno.remove(new URL(name, FOLDER));
  }
  for (const [file, text] of files) {
    await Deno.writeTextFile(new URL(file, FOLDER), text);
  }
  await Deno.writeTextFile(
    new URL("mod.ts", FOLDER),
    indexOf([...files.keys()]),
  );
  console.log(`${log.length} messages passed, ${files.size} files written`);
}

if (import.meta.main) await main(Deno.args);
