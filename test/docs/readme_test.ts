import { assert, assertEquals } from "@std/assert";
import { SOURCES } from "../../src/backends/registry.ts";
import { TREE_SOURCES } from "../../src/cli/trees/tree_source.ts";
import README from "../../README.md" with { type: "text" };
import { canReadRepository, readRepository } from "../_repository.ts";
import { testIf } from "../requirements.ts";

Deno.test("README.md names everything that can be opened", () => {
  for (const [usage] of [...SOURCES, ...TREE_SOURCES]) {
    assert(README.includes(`\`${usage}\``), usage);
  }
});

/** The anchors of a page, as GitHub derives them from headings. */
function anchorsOf(markdown: string): Set<string> {
  const prose = markdown.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");
  return new Set(
    Array.from(
      prose.matchAll(/^#+ (.*)$/gm),
      ([, heading]) =>
        heading!.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "")
          .replaceAll(" ", "-"),
    ),
  );
}

/** The targets of a page's links to files of this repository. */
function linksOf(markdown: string): string[] {
  return Array.from(markdown.matchAll(/\]\(([^()\s]+)\)/g), ([, to]) => to!)
    .filter((to) => !/^[a-z]+:/.test(to));
}

testIf(
  canReadRepository() ? "" : "needs --allow-read",
  "every link in README.md, docs and others leads to a file and a heading",
  async () => {
    const files = new Map(
      (await readRepository()).map(({ path, text }) => [path, text]),
    );
    const folders = new Set(
      [...files.keys()].map((path) => path.replace(/\/?[^/]*$/, "")),
    );
    const broken: string[] = [];
    const pages = [...files.keys()].filter((path) =>
      /^(?:docs\/)?[^/]+\.md$/.test(path)
    );
    for (const page of pages) {
      for (const link of linksOf(files.get(page)!)) {
        const { pathname, hash } = new URL(link, `file:///${page}`);
        const path = pathname.slice(1).replace(/\/$/, "");
        const target = files.get(path);
        const isThere = target !== undefined || folders.has(path);
        const hasAnchor = hash === "" ||
          anchorsOf(target ?? "").has(decodeURIComponent(hash.slice(1)));
        if (!isThere || !hasAnchor) broken.push(`${page}: ${link}`);
      }
    }
    assertEquals(broken, []);
    assert(pages.length > 10);
  },
);
