/**
 * Keys in the format of AWS's shared credentials file.
 *
 * @module
 */
import { refusal } from "../http/secret_file.ts";

/** What signs requests. Plain data, and secret. */
export interface S3Keys {
  readonly keyId: string;
  readonly secret: string;
  /** For keys that are valid for a time; `null` for others. */
  readonly token: string | null;
}

/**
 * Finds the keys of a profile.
 *
 * @param path The file's path in errors, which quote no value.
 * @throws {UserError} If they are not there.
 */
export function findKeys(text: string, profile: string, path: string): S3Keys {
  const values = new Map<string, string>();
  let isThere = false;
  let isInside = false;
  for (const line of text.split(/\r?\n/)) {
    const section = /^\s*\[\s*(?:profile\s+)?([^\]]*?)\s*\]\s*(?:[#;].*)?$/
      .exec(line);
    if (section !== null) {
      isInside = section[1] === profile;
      isThere ||= isInside;
      continue;
    }
    if (!isInside || /^\s*(?:[#;].*)?$/.test(line)) continue;
    const match = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (match !== null) values.set(match[1]!.toLowerCase(), match[2]!);
  }
  const refuse = (why: string) => refusal(path, "s3-credentials", why);
  const shown = JSON.stringify(profile);
  if (!isThere) {
    throw refuse(`it has no profile ${shown}; name another one by s3-profile`);
  }
  const keyId = values.get("aws_access_key_id");
  const secret = values.get("aws_secret_access_key");
  if (!keyId || !secret) {
    throw refuse(
      `profile ${shown} lacks aws_access_key_id or aws_secret_access_key`,
    );
  }
  if (!/^[\x21-\x7e]+$/.test(keyId + secret)) {
    throw refuse(
      `the keys of profile ${shown} have characters that no key has`,
    );
  }
  return { keyId, secret, token: values.get("aws_session_token") ?? null };
}
