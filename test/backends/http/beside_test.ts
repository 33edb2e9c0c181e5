/** Which objects of a server the images on it may lead to. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { ImageOptions } from "../../../src/backends/driver.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { HTTP_DEFAULTS } from "../../../src/backends/protocols/http/options.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { FakeFiles } from "../_fake_files.ts";
import { readBack } from "../_image.ts";
import { imageOptions } from "../_image_options.ts";
import {
  buildImage,
  builtByte,
  type ImagePlan,
} from "../qcow2/_build_image.ts";
import { ModelWebServer } from "./_model_server.ts";

const CLUSTER = 65_536;
const SIZE = 4 * CLUSTER;
const NOT_FOUND = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n";

/** Has objects, by the paths of their URLs. */
function serverWith(
  objects: Readonly<Record<string, Uint8Array<ArrayBuffer>>>,
) {
  const server = new ModelWebServer(new Uint8Array(1));
  server.answer = ({ target }) => {
    const bytes = objects[target];
    if (bytes === undefined) return NOT_FOUND;
    server.bytes = bytes;
    return null;
  };
  return server;
}

/** An image whose first cluster lies below it. */
function over(name: string, format = "qcow2"): Uint8Array<ArrayBuffer> {
  const plan: ImagePlan = {
    size: SIZE,
    clusters: ["unallocated", "data"],
    backing: { name, format },
  };
  return buildImage(plan);
}

const BASE = buildImage({ size: SIZE, clusters: ["data"] });

async function opened(
  server: ModelWebServer,
  source: string,
  options: Partial<ImageOptions> = {},
  files = new FakeFiles(),
) {
  files.sockets = server;
  return await openImage(
    source,
    { ...imageOptions, ...options },
    files.services(),
  );
}

const NONE = {};
const S3 = { http: { ...HTTP_DEFAULTS, s3Endpoint: "http://h" } };

for (
  const [what, source, top, name, base, options] of [
    ["beside it", "http://h/d/a", "/d/a", "base.qcow2", "/d/base.qcow2", NONE],
    ["below it", "http://h/d/a", "/d/a", "x/y", "/d/x/y", NONE],
    ["by a detour", "http://h/d/a", "/d/a", "./x/../b", "/d/b", NONE],
    ["at the root", "http://h/a", "/a", "b", "/b", NONE],
    [
      "with odd names",
      "http://h/a",
      "/a",
      "b c%2F?#",
      "/b%20c%252F%3F%23",
      NONE,
    ],
    [
      "in a bucket",
      "s3://bucket/d/a",
      "/bucket/d/a",
      "x/../b",
      "/bucket/d/b",
      S3,
    ],
  ] as const
) {
  for (const format of ["qcow2", "raw"]) {
    Deno.test(`an image on a server leads to a ${format} image ${what}`, async () => {
      const bytes = format === "raw" ? new Uint8Array(SIZE).fill(9) : BASE;
      const server = serverWith({ [top]: over(name, format), [base]: bytes });
      const image = await opened(server, `qcow2:${source}`, options);
      const read = await readBack(image.backend, CLUSTER - 1, 2);
      const below = format === "raw" ? 9 : builtByte(CLUSTER - 1);
      assertEquals([...read], [below, builtByte(CLUSTER)]);
      await image.close();
    });
  }
}

Deno.test("each image of a chain on a server leads on from its own place", async () => {
  const server = serverWith({
    "/d/a": over("x/b"),
    "/d/x/b": over("../c"),
    "/d/c": BASE,
  });
  const image = await opened(server, "qcow2:http://h/d/a");
  assertEquals([...await readBack(image.backend, 5, 1)], [builtByte(5)]);
  await image.close();
});

for (
  const [what, source, name, why] of [
    [
      "out of its directory",
      "http://h/d/a",
      "../b",
      /it is http:\/\/h\/b, outside/,
    ],
    ["to a neighbour's directory", "http://h/d/a", "../dd/b", /outside/],
    [
      "out of a bucket's folder",
      "s3://bucket/d/a",
      "../../x/b",
      /s3:\/\/bucket\/x\/b, outside/,
    ],
    ["to another server", "http://h/d/a", "http://other/b", /it is not a path/],
    [
      "to a server without a scheme",
      "http://h/d/a",
      "//other/b",
      /a path of the machine/,
    ],
    [
      "to a local file",
      "http://h/d/a",
      "/images/base",
      /a path of the machine/,
    ],
    [
      "with a signed URL",
      "http://h/d/a?X-Amz-Signature=hush",
      "b",
      /may be a signature/,
    ],
    ["to itself", "http://h/d/a", "../d/a", /part of the same chain already/],
    ["to nothing", "http://h/d/a", "none", /http:\/\/h\/d\/none: .*\(404\)/],
  ] as const
) {
  Deno.test(`an image on a server does not lead ${what}`, async () => {
    const image = over(name);
    const server = serverWith({
      "/d/a": image,
      "/d/a?X-Amz-Signature=hush": image,
      "/bucket/d/a": image,
    });
    const files = new FakeFiles();
    files.write("base", BASE);
    const error = await assertRejects(
      () => opened(server, `qcow2:${source}`, S3, files),
      UserError,
    );
    assertMatch(error.message, why);
    assertMatch(error.message, /^[^\n]*$/);
    assertEquals(error.message.includes("hush"), false);
    assertEquals(files.log.length, 0);
    // A request would tell the server what the image says.
    const asked = new Set(server.requests.map(({ target }) => target));
    assertEquals(asked.size, what === "to nothing" ? 2 : 1);
  });
}

Deno.test("the user names the backing image of an image on a server", async () => {
  const server = serverWith({ "/d/a?sig=1": over("b"), "/e/b": BASE });
  const image = await opened(server, "qcow2:http://h/d/a?sig=1", {
    backing: "qcow2:http://h/e/b",
  });
  assertEquals([...await readBack(image.backend, 5, 1)], [builtByte(5)]);
  await image.close();
});
