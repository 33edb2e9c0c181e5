/** Files with secrets: fields, users and passwords, keys. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseHeadersFile } from "../../../src/backends/protocols/http/headers_file.ts";
import {
  basicField,
  findLogin,
} from "../../../src/backends/protocols/http/netrc.ts";
import { findKeys } from "../../../src/backends/protocols/s3/credentials.ts";
import { UserError } from "../../../src/base/user_error.ts";

function refusal(read: () => unknown): string {
  const { message } = assertThrows(read, UserError);
  assert(!message.includes("hush"), message);
  return message;
}

Deno.test("parseHeadersFile() reads fields, and quotes no value in errors", () => {
  const text = "# a token\n\nAuthorization: Bearer hush\r\nX-A:b  \n";
  assertEquals(parseHeadersFile(text, "f"), [
    ["Authorization", "Bearer hush"],
    ["X-A", "b"],
  ]);
  assertEquals(
    refusal(() => parseHeadersFile("A: b\nhush hush\n", "f")),
    "Cannot use f as http-headers-file: line 2 is not of the form Name: value",
  );
  assertEquals(
    refusal(() => parseHeadersFile("Range: hush\n", "f")),
    "Cannot use f as http-headers-file: line 1 gives Range, which every request has for itself",
  );
});

Deno.test("findLogin() reads the form of .netrc", () => {
  const text = `# mine
machine a login ann password hush
machine b
  login bob
  account c
  password hush2
macdef init
  machine d login no password no

default login anonymous password me@`;
  assertEquals(findLogin(text, "a", "f")?.login, "ann");
  assertEquals(findLogin(text, "b", "f")?.password, "hush2");
  assertEquals(findLogin(text, "d", "f")?.login, "anonymous");
  assertEquals(findLogin("machine a login b password c", "d", "f"), null);
  const whys = [
    ["machine a login hush", /lacks a login or a password/],
    ["login hush", /does not begin with machine or default/],
    ["machine a word hush", /none of machine, login, password/],
    ["machine a login", /last word has no value/],
    ["machine a login b:hush password c", /a login has a colon/],
  ] as const;
  for (const [bad, why] of whys) {
    const message = refusal(() => findLogin(bad, "a", "f"));
    assert(why.test(message), message);
  }
});

Deno.test("basicField() gives the example of RFC 7617, and UTF-8", () => {
  const login = { login: "Aladdin", password: "open sesame" };
  assertEquals(basicField("Authorization", login), [
    "Authorization",
    "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
  ]);
  const utf8 = { login: "test", password: "123\u00a3" };
  assertEquals(
    basicField("Proxy-Authorization", utf8)[1],
    "Basic dGVzdDoxMjPCow==",
  );
});

Deno.test("findKeys() reads a profile of AWS's credentials file", () => {
  const text = `[default]
aws_access_key_id = A1
aws_secret_access_key=hush/1+
# a comment
[work] ; another one
aws_access_key_id = A2
aws_secret_access_key = hush2
aws_session_token = hush3==
[half]
aws_access_key_id = A3
`;
  assertEquals(findKeys(text, "default", "f"), {
    keyId: "A1",
    secret: "hush/1+",
    token: null,
  });
  assertEquals(findKeys(text, "work", "f").token, "hush3==");
  assertEquals(
    refusal(() => findKeys(text, "none", "f")),
    'Cannot use f as s3-credentials: it has no profile "none"; name another one by s3-profile',
  );
  const half = refusal(() => findKeys(text, "half", "f"));
  assert(half.includes("lacks aws_access_key_id"), half);
});
