import type {
  ConnectedSocket,
  TlsClient,
  TlsFiles,
} from "../../backends/services.ts";
import { UserError } from "../../base/user_error.ts";
import { cString, pointerOf } from "../syscall/ffi_values.ts";
import { type OpenSsl, openSsl, takeError } from "./openssl.ts";
import { TlsEngine } from "./tls_engine.ts";
import { TlsSocket } from "./tls_socket.ts";

const SSL_VERIFY_PEER = 1;
const SSL_FILETYPE_PEM = 1;
const SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
const TLS1_2_VERSION = 0x0303n;
/** A peer could make the client do handshakes without end. */
const SSL_OP_NO_RENEGOTIATION = 1n << 30n;

/** The empty password: without one, OpenSSL asks for it on the terminal. */
const NO_PASSWORD = new Uint8Array(new ArrayBuffer(1));

/** Certificates and authorities, which were read: an SSL_CTX. */
export class LinuxTlsClient implements TlsClient {
  readonly #library: OpenSsl;
  readonly #name: string;
  #context: Deno.PointerValue;

  /**
   * Reads the files.
   *
   * @param name What is being opened, in errors.
   * @throws {UserError} If they cannot be used, or OpenSSL is not installed.
   */
  constructor(files: TlsFiles, name: string) {
    const library = this.#library = openSsl(name);
    this.#name = name;
    library.ERR_clear_error();
    this.#context = library.SSL_CTX_new(library.TLS_client_method());
    if (this.#context === null) {
      throw this.#failure("TLS cannot be used", "look at OpenSSL's set-up");
    }
    try {
      this.#setUp(files);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async start(
    socket: ConnectedSocket,
    host: string,
    protocols: readonly string[] = [],
  ): Promise<ConnectedSocket> {
    const engine = new TlsEngine(
      this.#library,
      this.#context,
      host,
      protocols,
    );
    return await TlsSocket.start(socket, engine, this.#name);
  }

  close(): void {
    this.#library.SSL_CTX_free(this.#context);
    this.#context = null;
  }

  #setUp({ ca, certificate, key }: TlsFiles): void {
    const library = this.#library;
    const context = this.#context;
    const command = SSL_CTRL_SET_MIN_PROTO_VERSION;
    library.SSL_CTX_ctrl(context, command, TLS1_2_VERSION, null);
    library.SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    library.SSL_CTX_set_verify(context, SSL_VERIFY_PEER, null);
    const password = pointerOf(NO_PASSWORD);
    library.SSL_CTX_set_default_passwd_cb_userdata(context, password);
    if (ca === null) this.#trustSystem();
    else this.#trust(ca);
    if (certificate !== null) this.#present(certificate, key ?? certificate);
    else if (key !== null) {
      throw this.#refusal(
        `--tls-key has no use without a certificate`,
        "give --tls-cert too",
      );
    }
    library.ERR_clear_error();
  }

  #trustSystem(): void {
    const { SSL_CTX_set_default_verify_paths: trust } = this.#library;
    if (trust(this.#context) === 1) return;
    throw this.#failure(
      "the authorities that this system trusts cannot be read",
      "give those to trust as --tls-ca",
    );
  }

  #trust(ca: string): void {
    const { SSL_CTX_load_verify_locations: trust } = this.#library;
    if (trust(this.#context, cString(ca), null) === 1) return;
    throw this.#failure(
      `${ca} has no certificates of authorities to trust`,
      "give a file in PEM as --tls-ca",
    );
  }

  /** Has a certificate for servers that want one, and those that it leads to. */
  #present(certificate: string, key: string): void {
    const library = this.#library;
    const context = this.#context;
    const chain = cString(certificate);
    if (library.SSL_CTX_use_certificate_chain_file(context, chain) !== 1) {
      throw this.#failure(
        `${certificate} has no certificate of this client`,
        "give a file in PEM as --tls-cert",
      );
    }
    const type = SSL_FILETYPE_PEM;
    const path = cString(key);
    if (library.SSL_CTX_use_PrivateKey_file(context, path, type) !== 1) {
      throw this.#failure(
        `${key} cannot be the private key of ${certificate}`,
        "give the one that belongs to it, in PEM and without a password, as --tls-key",
      );
    }
  }

  #failure(why: string, advice: string): UserError {
    return this.#refusal(`${why} (${takeError(this.#library).text})`, advice);
  }

  #refusal(why: string, advice: string): UserError {
    return new UserError(`Cannot open ${this.#name}: ${why}; ${advice}`);
  }
}
