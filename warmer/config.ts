/**
 * The warmer's configuration: every knob, typed, validated and frozen. Secrets are not in it, only the files that hold
 * them.
 */
import { readConfig } from '../core/runtime/config.ts';
import type { Environment } from '../core/runtime/config-reader.ts';
import { type WarmerFile, warmerConflicts } from './config/warmer-conflicts.ts';
import { warmerShape } from './config/warmer-shape.ts';

/** Field by field as in the file; see `config/warmer-shape.ts` for defaults and units. */
export type WarmerConfig = WarmerFile;
export type SourceConfig = WarmerConfig['sources'][number];

export interface WarmerConfigSource {
  readonly text: string;
  /** How messages name the file. */
  readonly file: string;
  /** For `${NAME}` in strings. */
  readonly env: Environment;
}

/**
 * Reads a warmer configuration.
 * @throws CodedError INVALID_ARGUMENT listing everything wrong, `file:line: key: message` a line
 */
export function parseWarmerConfig(source: WarmerConfigSource): WarmerConfig {
  return readConfig(warmerShape, source, warmerConflicts);
}
