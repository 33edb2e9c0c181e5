import { BufferPointers, cString, pointerOf } from "../syscall/ffi_values.ts";
import type { OpenSsl } from "./openssl.ts";
import { failureOf, TlsFailure } from "./tls_failure.ts";

// SSL_get_error().
const SSL_ERROR_WANT_READ = 2;
const SSL_ERROR_ZERO_RETURN = 6;
// SSL_ctrl().
const SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
const NAMETYPE_HOST_NAME = 0n;
/** `f*.example.com` is no name of `foo.example.com`. */
const X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS = 4;

/** Results of {@linkcode TlsEngine.read} that are no count. */
export const TLS_READ = {
  /** The peer has ended the stream, and said so. */
  END: 0,
  /** More bytes of the peer are needed first. */
  MORE: -1,
} as const;

/**
 * One TLS connection without a transport: bytes of the peer are fed in, bytes for
 * it are taken out, and nothing waits.
 */
export class TlsEngine {
  readonly #library: OpenSsl;
  readonly #host: string;
  readonly #pointers = new BufferPointers();
  #ssl: Deno.PointerValue;
  /** What the peer has sent, and what is to be sent to it: memory BIOs. */
  #input: Deno.PointerValue;
  #output: Deno.PointerValue;

  /**
   * Prepares a connection.
   *
   * @param context An SSL_CTX, which may be freed before the engine.
   * @param host The name or address for which the peer's certificate must be.
   * @param protocols The protocols to offer (ALPN); none if empty.
   * @throws {TlsFailure} If there is no memory.
   */
  constructor(
    library: OpenSsl,
    context: Deno.PointerValue,
    host: string,
    protocols: readonly string[],
  ) {
    this.#library = library;
    this.#host = host;
    this.#ssl = library.SSL_new(context);
    this.#input = library.BIO_new(library.BIO_s_mem());
    this.#output = library.BIO_new(library.BIO_s_mem());
    if (!this.#ssl || !this.#input || !this.#output) {
      throw new TlsFailure("there is no memory for TLS");
    }
    // They belong to the connection from now on.
    library.SSL_set_bio(this.#ssl, this.#input, this.#output);
    library.SSL_set_connect_state(this.#ssl);
    this.#expect(host);
    if (protocols.length > 0) this.#offer(protocols);
  }

  /** Takes bytes that the peer has sent. */
  feed(buffer: Uint8Array, start: number, length: number): void {
    const at = this.#at(buffer, start);
    const put = this.#library.BIO_write(this.#live(this.#input), at, length);
    if (put !== length) throw new TlsFailure("there is no memory for TLS");
  }

  /**
   * Gives bytes that are to be sent to the peer.
   *
   * @returns How many; 0 if there are none.
   */
  take(buffer: Uint8Array, start: number, length: number): number {
    if (this.#output === null) return 0;
    const at = this.#at(buffer, start);
    return Math.max(0, this.#library.BIO_read(this.#output, at, length));
  }

  /**
   * Goes on with the handshake.
   *
   * @returns Whether it is done; if not, more bytes of the peer are needed.
   * @throws {TlsFailure} If it has failed; what `take()` gives tells the peer.
   */
  handshake(): boolean {
    this.#library.ERR_clear_error();
    const result = this.#library.SSL_do_handshake(this.#live(this.#ssl));
    return result === 1 || this.#checked(result) !== TLS_READ.MORE;
  }

  /**
   * Reads what the peer has sent, decrypted.
   *
   * @returns How many bytes, one or more, or one of `TLS_READ`.
   * @throws {TlsFailure} If the peer breaks the protocol or ends with an error.
   */
  read(buffer: Uint8Array, start: number, length: number): number {
    this.#library.ERR_clear_error();
    const at = this.#at(buffer, start);
    const ssl = this.#live(this.#ssl);
    const result = this.#library.SSL_read(ssl, at, length);
    return result > 0 ? result : this.#checked(result);
  }

  /**
   * Encrypts all of a part of a buffer, which is not empty, for the peer.
   *
   * @throws {TlsFailure} If the connection cannot be used any more.
   */
  write(buffer: Uint8Array, start: number, length: number): void {
    this.#library.ERR_clear_error();
    const at = this.#at(buffer, start);
    const ssl = this.#live(this.#ssl);
    const result = this.#library.SSL_write(ssl, at, length);
    if (result !== length) throw this.#failure();
  }

  /** Tells the peer that nothing follows (close_notify). */
  finish(): void {
    this.#library.SSL_shutdown(this.#live(this.#ssl));
    this.#library.ERR_clear_error();
  }

  /** Frees it: nothing comes out of it any more, and every other call fails. */
  free(): void {
    this.#library.SSL_free(this.#ssl);
    this.#ssl = this.#input = this.#output = null;
  }

  /** The certificate of the peer must be for a host. */
  #expect(host: string): void {
    const library = this.#library;
    const text = cString(host);
    const param = library.SSL_get0_param(this.#ssl);
    // Whether it is an address is for OpenSSL to say; the server has no names
    // to choose from then.
    if (library.X509_VERIFY_PARAM_set1_ip_asc(param, text) === 1) return;
    library.ERR_clear_error();
    library.SSL_set_hostflags(this.#ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const command = SSL_CTRL_SET_TLSEXT_HOSTNAME;
    const isSet = library.SSL_set1_host(this.#ssl, text) === 1 &&
      library.SSL_ctrl(this.#ssl, command, NAMETYPE_HOST_NAME, text) === 1n;
    if (!isSet) throw new TlsFailure(`${host} cannot be the name of a host`);
  }

  /** Offers protocols: RFC 7301, each with its length before it. */
  #offer(protocols: readonly string[]): void {
    const list = protocols.flatMap((each) => {
      const bytes = new TextEncoder().encode(each);
      return [bytes.length, ...bytes];
    });
    const bytes = Uint8Array.from(list);
    void pointerOf(bytes);
    // Unlike the others, it returns 0 if all is well.
    const { SSL_set_alpn_protos } = this.#library;
    if (SSL_set_alpn_protos(this.#ssl, bytes, bytes.length) === 0) return;
    throw new TlsFailure(`${protocols.join(", ")} cannot be offered`);
  }

  /** A pointer that was not freed. */
  #live(pointer: Deno.PointerValue): Deno.PointerValue {
    if (pointer !== null) return pointer;
    throw new TlsFailure("the connection was closed");
  }

  #checked(result: number): number {
    const error = this.#library.SSL_get_error(this.#ssl, result);
    if (error === SSL_ERROR_WANT_READ) return TLS_READ.MORE;
    if (error === SSL_ERROR_ZERO_RETURN) return TLS_READ.END;
    throw this.#failure();
  }

  #failure(): TlsFailure {
    return failureOf(this.#library, this.#ssl, this.#host);
  }

  #at(buffer: Uint8Array, start: number): Deno.PointerValue {
    const first = this.#pointers.of(buffer);
    return start === 0 || first === null
      ? first
      : Deno.UnsafePointer.offset(first, start);
  }
}
