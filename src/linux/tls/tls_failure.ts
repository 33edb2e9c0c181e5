import { textAt } from "../syscall/ffi_values.ts";
import { type OpenSsl, takeError } from "./openssl.ts";

/** TLS has failed; the message says why, and what to do. */
export class TlsFailure extends Error {
  override name = "TlsFailure";
}

// Results of the check of a certificate: <openssl/x509_vfy.h>.
const X509_V = {
  OK: 0,
  NOT_YET_VALID: 9,
  HAS_EXPIRED: 10,
  HOSTNAME_MISMATCH: 62,
  IP_ADDRESS_MISMATCH: 64,
} as const;

/** Those that say that no authority was found that is trusted. */
const UNTRUSTED = [2, 18, 19, 20, 21, 27];

/** Reasons of <openssl/sslerr.h> for what is no TLS at all. */
const NO_TLS = [156, 198, 267];
const UNSUPPORTED_PROTOCOL = 258;
/** Alerts of a peer are reasons from here on: RFC 8446, section 6. */
const ALERT = 1000;
const ALERT_HANDSHAKE_FAILURE = ALERT + 40;
/** Alerts about the certificate of this side. */
const ALERT_CERTIFICATE = [42, 43, 44, 45, 46, 48, 49].map((n) => ALERT + n);
const ALERT_PROTOCOL_VERSION = ALERT + 70;
const ALERT_UNKNOWN_NAME = ALERT + 112;
const ALERT_CERTIFICATE_REQUIRED = ALERT + 116;
const ALERT_NO_PROTOCOL = ALERT + 120;

/**
 * The failure of a call that has failed just now.
 *
 * @param ssl The connection.
 * @param host The name or address that its peer must have.
 */
export function failureOf(
  library: OpenSsl,
  ssl: Deno.PointerValue,
  host: string,
): TlsFailure {
  const { reason, text } = takeError(library);
  const result = Number(library.SSL_get_verify_result(ssl));
  if (result !== X509_V.OK && reason < ALERT) {
    return new TlsFailure(explainCertificate(library, result, host));
  }
  return new TlsFailure(explainReason(reason, text));
}

function explainCertificate(
  library: OpenSsl,
  result: number,
  host: string,
): string {
  switch (result) {
    case X509_V.NOT_YET_VALID:
      return "the certificate of its server is not valid yet; check the clocks of both machines";
    case X509_V.HAS_EXPIRED:
      return "the certificate of its server has expired; renew it there";
    case X509_V.HOSTNAME_MISMATCH:
    case X509_V.IP_ADDRESS_MISMATCH:
      return `the certificate of its server is not for ${host}; connect by a name that it has, or give that as --tls-hostname`;
  }
  const said = textAt(library.X509_verify_cert_error_string(BigInt(result)));
  return UNTRUSTED.includes(result)
    ? `no authority that is trusted here has signed the certificate of its server (${said}); give the file of that authority as --tls-ca`
    : `the certificate of its server is refused (${said})`;
}

function explainReason(reason: number, text: string): string {
  if (NO_TLS.includes(reason)) {
    return `what answers there does not speak TLS (${text}); check the port, or leave TLS out`;
  }
  if (ALERT_CERTIFICATE.includes(reason)) {
    return `its server refuses the certificate of this client (${text}); give one that it accepts as --tls-cert and --tls-key`;
  }
  switch (reason) {
    case UNSUPPORTED_PROTOCOL:
    case ALERT_PROTOCOL_VERSION:
      return "its server and this client have no version of TLS in common, from 1.2 on; use a newer server";
    case ALERT_HANDSHAKE_FAILURE:
    case ALERT_CERTIFICATE_REQUIRED:
      return `its server ends the handshake (${text}); if it wants a certificate of this client, give --tls-cert and --tls-key`;
    case ALERT_UNKNOWN_NAME:
      return "its server does not know the host's name; give the name in its certificate as --tls-hostname";
    case ALERT_NO_PROTOCOL:
      return "its server does not speak the protocol that this client asks for over TLS; check the port";
  }
  return `TLS fails: ${text}`;
}
