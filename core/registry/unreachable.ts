/** Why a server gave no answer at all, in words for those who run the node, with the system's own message behind them. Pure. */
import { messageOf } from '../runtime/errors.ts';

const NO_NAME = 'its name is not known to DNS';
const NO_ANSWER = 'it did not answer in time';
const NO_WAY = 'there is no way to its address';
const BROKEN = 'it closed the connection';
const UNTRUSTED = 'its certificate is signed by nobody who is trusted here (a private one belongs in ca_file)';

/** By the codes of Node, OpenSSL and got. */
const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: NO_NAME,
  ENODATA: NO_NAME,
  EAI_AGAIN: 'DNS does not answer',
  ECONNREFUSED: 'it refuses connections',
  ETIMEDOUT: NO_ANSWER,
  EHOSTUNREACH: NO_WAY,
  ENETUNREACH: NO_WAY,
  ECONNRESET: BROKEN,
  EPIPE: BROKEN,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: "its certificate is not valid yet, by this machine's clock",
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  EPROTO: 'it does not speak TLS (an endpoint of plain http says http://)',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS (an endpoint of plain http says http://)',
};

/** Causes within causes; got wraps Node's error once. */
const DEPTH_MAX = 5;

/** `it refuses connections (connect ECONNREFUSED 127.0.0.1:5000)`, or the message alone when the code says nothing. */
export function whyUnreachable(error: unknown): string {
  const message = messageOf(error);
  for (let at = error, depth = 0; at !== undefined && depth < DEPTH_MAX; at = fieldOf(at, 'cause'), depth += 1) {
    const words = WORDS[String(fieldOf(at, 'code'))];
    if (words !== undefined) return `${words} (${message})`;
  }
  return message;
}

function fieldOf(value: unknown, name: 'code' | 'cause'): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (name === 'code') return 'code' in value ? value.code : undefined;
  return 'cause' in value ? value.cause : undefined;
}
