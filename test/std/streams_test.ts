import { assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { toText } from "@std/streams/to-text";
import * as all from "@std/streams";

function lines(chunks: string[], allowCR?: boolean): Promise<string[]> {
  const options = allowCR === undefined ? undefined : { allowCR };
  return Array.fromAsync(
    ReadableStream.from(chunks).pipeThrough(new TextLineStream(options)),
  );
}

Deno.test("TextLineStream() splits at line feeds across chunks", async () => {
  assertEquals(await lines(["qwer", "t\nyu", "iop\r\nasd", "\n\nfgh"]), [
    "qwert",
    "yuiop",
    "asd",
    "",
    "fgh",
  ]);
});

Deno.test("TextLineStream() leaves out an empty last line", async () => {
  assertEquals(await lines(["a\n", "b\n"]), ["a", "b"]);
  assertEquals(await lines([]), []);
  assertEquals(await lines(["\n"]), [""]);
});

Deno.test("TextLineStream() joins a line end cut in two", async () => {
  assertEquals(await lines(["a\r", "\nb"]), ["a", "b"]);
  assertEquals(await lines(["a\r", "\nb"], true), ["a", "b"]);
});

Deno.test("TextLineStream() ends lines at \\r only with allowCR", async () => {
  assertEquals(await lines(["a\rb\r"]), ["a\rb\r"]);
  assertEquals(await lines(["a\rb\r"], false), ["a\rb\r"]);
  assertEquals(await lines(["a\rb\r\nc\r", "d\r"], true), ["a", "b", "c", "d"]);
});

Deno.test("toText() joins strings", async () => {
  assertEquals(await toText(ReadableStream.from(["a", "b"])), "ab");
});

Deno.test("toText() decodes bytes, also of characters cut in two", async () => {
  const bytes = new TextEncoder().encode("\u20ac5");
  const parts = [bytes.subarray(0, 1), bytes.subarray(1)];
  assertEquals(await toText(ReadableStream.from(parts)), "\u20ac5");
});

Deno.test("the module exports both", () => {
  assertEquals(all.toText, toText);
  assertEquals(all.TextLineStream, TextLineStream);
});
