import { assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams";
import type { ServiceState } from "../../src/linux/socket/sd_notify.ts";
import { kernelTest } from "../requirements.ts";
import { inTemporaryDirectory } from "./_fixtures.ts";

const MODULE =
  new URL("../../src/linux/socket/sd_notify.ts", import.meta.url).href;

// The service manager: prints the first message, or exits after 10 s.
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace("@", "\\0", 1))
s.settimeout(10)
print("bound", flush=True)
sys.stdout.write(s.recv(4096).decode())
`;

/** Notifies from a child process with the name in its environment. */
async function notify(name: string, state: ServiceState): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  stack.defer(() => Deno.remove(file));
  await Deno.writeTextFile(
    file,
    `import { notifyService } from ${JSON.stringify(MODULE)};
try {
  console.log(notifyService(${JSON.stringify(state)}));
} catch (error) {
  console.log(error.message);
}
`,
  );
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", "--allow-ffi", file],
    env: { NOTIFY_SOCKET: name },
  }).output();
  return new TextDecoder().decode(stdout);
}

/** Notifies a listener; returns what it received, and the function's result. */
async function exchange(
  name: string,
  state: ServiceState,
): Promise<{ received: string[]; returned: string }> {
  const receiver = new Deno.Command("python3", {
    args: ["-c", RECEIVER, name],
    stdout: "piped",
  }).spawn();
  const lines = receiver.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  const received: string[] = [];
  let returned = "";
  for await (const line of lines) {
    if (line === "bound") returned = await notify(name, state);
    else received.push(line);
  }
  await receiver.status;
  return { received, returned };
}

kernelTest("a service notifies systemd of its start and stop", async () => {
  await inTemporaryDirectory(async (directory) => {
    assertEquals(
      await exchange(`${directory}/notify`, {
        ready: true,
        status: "Exporting\na disk",
      }),
      {
        received: ["STATUS=Exporting a disk", "READY=1"],
        returned: "true\n",
      },
    );
    assertEquals(
      await exchange(`@mqfuse test ${Deno.pid}`, { stopping: true }),
      { received: ["STOPPING=1"], returned: "true\n" },
    );
  });
}, ["python3"]);

kernelTest("without a service manager nothing is sent", async () => {
  assertEquals(await notify("", { ready: true }), "false\n");
});

kernelTest("a service manager that is gone is an error", async () => {
  await inTemporaryDirectory(async (directory) => {
    assertEquals(
      await notify(`${directory}/none`, { ready: true }),
      `Cannot notify systemd at ${directory}/none (NOTIFY_SOCKET): No such file or directory\n`,
    );
  });
});
