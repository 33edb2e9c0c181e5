/** Runs the suite of backends over every driver of the registry. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { attachImage } from "../../src/backends/attach_image.ts";
import type { Driver, ImageOptions } from "../../src/backends/driver.ts";
import { openImage } from "../../src/backends/open_image.ts";
import { DRIVERS } from "../../src/backends/registry.ts";
import { type Opened, testBackend, type Traits } from "./backend_suite.ts";
import { type DriverFixture, fixturesOf } from "./_driver_fixtures.ts";
import { FakeFiles } from "./_fake_files.ts";
import { imageOptions } from "./_image_options.ts";

/** Where the windows of these tests start, and the bytes after their end. */
const OFFSET = 12_288;
const REST = 5000;

/** Opens an image as a session does, and attaches to it as a Worker does. */
async function open(
  { source, writes }: DriverFixture,
  size: number,
  options: Partial<ImageOptions> = {},
): Promise<Opened> {
  const files = new FakeFiles();
  const image = await openImage(source(size, files), {
    ...imageOptions,
    writable: writes !== "refused",
    ...options,
  }, files.services());
  const { attachment, backend } = image;
  if (attachment === null) return { backend, end: () => image.close() };
  const worker = await attachImage(structuredClone(attachment), {
    ...files.services(),
    syncErrors: image.syncErrors,
  });
  return {
    backend: worker.backend,
    async end() {
      await worker.close();
      await image.close();
      assertEquals(files.openCount, 0);
    },
  };
}

function testDriver(driver: Driver, fixture: DriverFixture): void {
  const { variant, options = {} } = fixture;
  const name = `${driver.kind} ${driver.name}` +
    (variant === undefined ? "" : ` (${variant})`);
  const traits: Omit<Traits, "name" | "open"> = fixture;
  testBackend({
    ...traits,
    name,
    open: (size) => open(fixture, size, options),
  });
  if (driver.kind === "filter") return;
  const content = fixture.content === "pattern"
    ? "its own"
    : fixture.content ?? "zeroes";
  testBackend({
    ...traits,
    name: `a part of ${name}`,
    content,
    resizes: "never",
    open: (size) =>
      open(fixture, OFFSET + size + REST, {
        ...options,
        growable: false,
        offset: OFFSET,
        size,
      }),
  });
  testBackend({
    ...traits,
    name: `${name} from an offset`,
    content,
    open: (size) =>
      open(fixture, OFFSET + size, { ...options, offset: OFFSET }),
  });
}

for (const driver of DRIVERS) {
  const fixtures = fixturesOf(driver);
  for (const fixture of fixtures) testDriver(driver, fixture);

  Deno.test(`${driver.kind} ${driver.name} has a complete row`, () => {
    const { name, summary, usage } = driver;
    assert(
      fixtures.length > 0,
      `no fixture: add one to _driver_fixtures.ts`,
    );
    assertMatch(name, /^[a-z][a-z0-9]*$/);
    assertMatch(summary, /^\S.{5,60}[^.\s]$/);
    if (driver.kind === "filter") return assertMatch(usage ?? "", /^--[a-z]/);
    const prefixes = driver.prefixes.filter((prefix) => prefix !== "");
    if (prefixes.length > 0) {
      assert(prefixes.some((prefix) => usage?.startsWith(prefix)), `${usage}`);
    }
  });
}

Deno.test("no two drivers share a name or a prefix", () => {
  const names = DRIVERS.map(({ name }) => name);
  const prefixes = DRIVERS.flatMap((driver) =>
    driver.kind === "filter" ? [] : driver.prefixes
  );
  assertEquals(new Set(names).size, names.length);
  assertEquals(new Set(prefixes).size, prefixes.length);
});
