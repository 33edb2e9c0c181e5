/**
 * Certificates for tests, made by openssl(1).
 *
 * @module
 */

/** A certificate and its private key: paths of files in PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

const NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split(" ");

/** An authority, which signs certificates. */
export class Authority {
  /** Its own certificate. */
  readonly file: string;
  readonly #directory: string;
  readonly #key: string;
  #count = 0;

  private constructor(directory: string, name: string) {
    this.#directory = directory;
    this.file = `${directory}/${name}.pem`;
    this.#key = `${directory}/${name}.key`;
  }

  /** Makes an authority, with its files in a directory. */
  static async make(directory: string, name: string): Promise<Authority> {
    const authority = new Authority(directory, name);
    await openssl(
      ...["req", "-x509", ...NEW_KEY, "-days", "2", "-subj", `/CN=${name}`],
      ...["-keyout", authority.#key, "-out", authority.file],
    );
    return authority;
  }

  /**
   * Makes a certificate.
   *
   * @param names What it is for, such as `DNS:localhost`.
   * @param days How long it is valid; it has expired if negative.
   */
  async sign(names: string, days: number = 2): Promise<Certificate> {
    const path = `${this.file}-${this.#count++}`;
    const [certificate, key, request] = [`${path}.pem`, `${path}.key`, path];
    await openssl(
      ...["req", "-new", ...NEW_KEY, "-keyout", key, "-out", request],
      ...["-subj", "/CN=test", "-addext", `subjectAltName=${names}`],
    );
    await openssl(
      ...["x509", "-req", "-in", request, "-out", certificate],
      ...["-CA", this.file, "-CAkey", this.#key, "-days", `${days}`],
      ...["-CAserial", `${this.#directory}/serial`, "-CAcreateserial"],
      ...["-copy_extensions", "copy"],
    );
    return { certificate, key };
  }
}

/** Runs openssl(1), which must succeed. */
export async function openssl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args,
    stdin: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
