import { assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { encodeNotification } from "../../src/protocol/notifications.ts";
import { DeviceNotifier } from "../../src/queue/notifier.ts";

/** A descriptor that takes notifications. */
class FakeDevice {
  readonly written: Uint8Array[] = [];
  error = 0;
  closes = 0;

  write(buffer: Uint8Array<ArrayBuffer>, length: number): number {
    this.written.push(buffer.slice(0, length));
    return this.error === 0 ? length : -this.error;
  }

  close(): void {
    this.closes++;
  }
}

const MESSAGE = encodeNotification("INVAL_INODE", { body: { ino: 1n } });

Deno.test("DeviceNotifier sends whole messages and returns errnos", () => {
  const device = new FakeDevice();
  const notifier = new DeviceNotifier(device);
  assertEquals(notifier.notify(MESSAGE), 0);
  assertEquals(device.written, [MESSAGE]);
  device.error = ERRNO.ENOENT;
  assertEquals(notifier.notify(MESSAGE), -ERRNO.ENOENT);
});

Deno.test("DeviceNotifier does not write after it has closed its descriptor", () => {
  const device = new FakeDevice();
  const notifier = new DeviceNotifier(device);
  notifier.close();
  notifier.close();
  assertEquals(device.closes, 1);
  assertEquals(notifier.notify(MESSAGE), -ERRNO.ENODEV);
  assertEquals(device.written, []);
});
