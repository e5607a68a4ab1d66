/**
 * What a plain scalar means. Kubernetes' tools read YAML 1.1 with go-yaml version 2 (sigs.k8s.io/yaml), docker compose
 * with go-yaml version 3; both differ from YAML 1.1 as written, so the rules here are theirs (go-yaml `resolve.go`).
 */
import type { Scalar } from './positioned.ts';

/** `kubernetes`: `yes`, `on`, `y` are booleans. `compose`: only `true` and `false` are. */
export type YamlDialect = 'kubernetes' | 'compose';

const NULLS = new Set(['', '~', 'null', 'Null', 'NULL']);
const TRUE_WORDS = ['true', 'True', 'TRUE'];
const FALSE_WORDS = ['false', 'False', 'FALSE'];
const BOOLEANS: Readonly<Record<YamlDialect, ReadonlyMap<string, boolean>>> = {
  kubernetes: booleans(
    [...TRUE_WORDS, 'y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'],
    [...FALSE_WORDS, 'n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'],
  ),
  compose: booleans(TRUE_WORDS, FALSE_WORDS),
};
const INFINITE_OR_NAN = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9][0-9]*|0)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** Neither fits; go-yaml leaves such digits a text or a float, and so do we. */
const LONGEST_NUMBER = 400;

/** The value of a plain (unquoted) scalar. Infinities and NaN come as such: JSON, and so Kubernetes, has none. */
export function resolvePlain(text: string, dialect: YamlDialect): Scalar {
  if (NULLS.has(text)) return null;
  const boolean = BOOLEANS[dialect].get(text);
  if (boolean !== undefined) return boolean;
  if (INFINITE_OR_NAN.test(text)) return infiniteOrNan(text);
  return /^[-+.0-9]/.test(text) ? (numberIn(text) ?? text) : text;
}

/** A key of a map as a text, as sigs.k8s.io/yaml writes it; undefined for null, which it refuses. */
export function keyText(value: Scalar): string | undefined {
  return value === null ? undefined : String(value);
}

function numberIn(text: string): number | undefined {
  if (text.length > LONGEST_NUMBER) return undefined;
  const plain = text.startsWith('.') ? text : text.replaceAll('_', '');
  if (INTEGER.test(plain)) return integerOf(plain);
  const float = FLOAT.test(plain) ? Number(plain) : Number.NaN;
  return Number.isFinite(float) ? float : undefined;
}

function integerOf(text: string): number {
  const [, sign, digits = ''] = /^([-+]?)(.*)$/.exec(text) ?? [];
  const octal = /^0[oO]?([0-7]+)$/.exec(digits)?.[1];
  const magnitude = octal === undefined ? Number(digits) : Number.parseInt(octal, 8);
  return sign === '-' && magnitude !== 0 ? -magnitude : magnitude;
}

function infiniteOrNan(text: string): number {
  if (/nan/i.test(text)) return Number.NaN;
  return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function booleans(yes: readonly string[], no: readonly string[]): ReadonlyMap<string, boolean> {
  return new Map([...yes.map((word) => [word, true] as const), ...no.map((word) => [word, false] as const)]);
}
