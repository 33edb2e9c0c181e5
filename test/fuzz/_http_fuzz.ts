/**
 * A web server that answers with damaged messages.
 *
 * @module
 */
import { assert } from "@std/assert";
import { openImage } from "../../src/backends/open_image.ts";
import { UserError } from "../../src/base/user_error.ts";
import { FakeFiles } from "../backends/_fake_files.ts";
import { imageOptions } from "../backends/_image_options.ts";
import { ModelWebServer } from "../backends/http/_model_server.ts";
import type { Random } from "../_random.ts";
import { damaged } from "./_damaged_answer.ts";
import { BYTES, FuzzCounts, readSome, withinTicks } from "./_fuzzed_reads.ts";

const REAL_NOW = performance.now;

/** Reads images from a server that damages its answers. */
export class HttpFuzzer extends FuzzCounts {
  /**
   * Opens and reads one image.
   *
   * @throws {Error} If that does harm.
   */
  async next(random: Random): Promise<void> {
    const server = new ModelWebServer(BYTES);
    if (random.oneIn(4)) server.split = () => 1 + random.below(3000);
    // Images that cannot be opened show little.
    const isDamagedAtOnce = random.oneIn(3);
    server.answer = (request) => {
      if (!isDamagedAtOnce && request.number <= 1) return null;
      const usual = server.usual(request);
      const bytes = typeof usual === "string"
        ? new TextEncoder().encode(usual)
        : usual;
      return damaged(bytes, random);
    };
    let before = -1;
    // What waits for a silent server waits until the clock says so.
    await withinTicks(() => this.#read(server, random), () => {
      const now = server.arrivals + server.requests.length;
      if (now === before) silence(server);
      before = now;
    });
    this.messages += server.requests.length;
  }

  async #read(server: ModelWebServer, random: Random): Promise<void> {
    const files = new FakeFiles();
    files.sockets = server;
    const options = { ...imageOptions, reconnect: 0, cacheSize: 0 };
    try {
      const image = await openImage(
        "http://server/disk.img",
        options,
        files.services(),
      );
      this.opened++;
      const right = await readSome(image.backend, random);
      this.right += right;
      await image.close();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      assert(!error.message.includes("\n"), error.message);
    }
    for (const text of files.told) assert(!text.includes("\n"), text);
  }
}

/**
 * Lets what waits for a silent server see that its time is up. The clock never
 * goes back: what began in between would begin in the future.
 */
function silence(server: ModelWebServer): void {
  const { now } = performance;
  const later = now.call(performance) + 60_000;
  const from = REAL_NOW.call(performance);
  performance.now = () => later + REAL_NOW.call(performance) - from;
  server.tick();
}
