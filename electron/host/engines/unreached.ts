import type { UnreachedCause } from "#api/machine.ts";
import { EngineError, codeOf, messageOf } from "#base/errors.ts";

/** An engine that is not reached, and why as far as can be told. */
export class UnreachedError extends EngineError {
  readonly unreached: UnreachedCause;
  constructor(unreached: UnreachedCause, message: string, options?: ErrorOptions) {
    super("unavailable", message, options);
    this.unreached = unreached;
  }
}

const byCode: Readonly<Record<string, UnreachedCause>> = {
  ENOTFOUND: "unknownHost",
  EAI_AGAIN: "unknownHost",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EHOSTDOWN: "unreachable",
  ECONNREFUSED: "refused",
  ETIMEDOUT: "noAnswer",
  ENOENT: "noSocket",
  EACCES: "forbidden",
  DEPTH_ZERO_SELF_SIGNED_CERT: "untrusted",
  SELF_SIGNED_CERT_IN_CHAIN: "untrusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "untrusted",
  UNABLE_TO_GET_ISSUER_CERT: "untrusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "untrusted",
  CERT_SIGNATURE_FAILURE: "untrusted",
  CERT_UNTRUSTED: "untrusted",
  CERT_HAS_EXPIRED: "untrusted",
  CERT_NOT_YET_VALID: "untrusted",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificateName",
  ERR_SSL_WRONG_VERSION_NUMBER: "noTls",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "noTls",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "clientRefused",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "clientRefused",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "clientRefused",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "clientRefused",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "clientRefused",
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: "clientRefused",
};

/** By the codes of the system and of TLS, which may lie below what was made of them. */
export function unreached(error: unknown): UnreachedError {
  for (let at: unknown = error; at !== undefined; at = at instanceof Error ? at.cause : undefined) {
    if (at instanceof UnreachedError) return at;
    const cause = at instanceof DOMException && at.name === "TimeoutError" ? "noAnswer" : byCode[codeOf(at) ?? ""];
    if (cause !== undefined) return new UnreachedError(cause, messageOf(at), { cause: error });
  }
  return new UnreachedError("other", messageOf(error), { cause: error });
}

/**
 * What ssh and the docker command on the other side say when they fail. Neither has codes for it: ssh ends with 255
 * whatever went wrong.
 */
const bySsh: readonly (readonly [RegExp, UnreachedCause])[] = [
  [/Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|No \S+ host key is known/, "hostKey"],
  [/Permission denied \(|Too many authentication failures|no such identity/i, "login"],
  [/Could not resolve hostname/, "unknownHost"],
  [/Connection refused/, "refused"],
  [/Connection timed out|Operation timed out|timed out during banner exchange/, "noAnswer"],
  [/No route to host|Network is unreachable/, "unreachable"],
  [/permission denied/i, "forbidden"],
  [/not found|no such file|Cannot connect to the Docker daemon/i, "noDocker"],
];

export function unreachedBySsh(words: string, fallback: UnreachedCause = "other"): UnreachedError {
  const lines = words
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("Warning: Permanently added"));
  const found = bySsh.find(([sign]) => sign.test(words));
  // The line that tells, rather than all that ssh prints around it.
  const told = found === undefined ? undefined : lines.find((line) => found[0].test(line));
  return new UnreachedError(found?.[1] ?? fallback, told ?? lines.at(-1) ?? "ssh ended without a word");
}
