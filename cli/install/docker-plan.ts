/** Docker's daemon.json: the mirror in `registry-mirrors`, behind those that are there; every other key as it was. Pure. */
import { isJsonObject } from '../../core/oci/descriptor-json.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { FileChange } from './file-changes.ts';

export const DOCKER_CONFIG = '/etc/docker/daemon.json';
const KEY = 'registry-mirrors';

export interface DockerFile {
  readonly file: string;
  /** undefined = there is none. */
  readonly text: string | undefined;
}

/** @throws CodedError FAILED_PRECONDITION when the file is not what Docker would read */
export function planDocker(docker: DockerFile, url: string): FileChange[] {
  const settings = settingsOf(docker);
  const mirrors = mirrorsOf(docker, settings);
  return mirrors.some((mirror) => isSame(mirror, url))
    ? []
    : changed(docker, { ...settings, [KEY]: [...mirrors, url] });
}

/** Takes the mirror away, the key when nothing is left of it, and the file when nothing is left of that. */
export function planNoDocker(docker: DockerFile, url: string): FileChange[] {
  if (docker.text === undefined) return [];
  const { [KEY]: _, ...others } = settingsOf(docker);
  const mirrors = mirrorsOf(docker, settingsOf(docker));
  const rest = mirrors.filter((mirror) => !isSame(mirror, url));
  if (rest.length === mirrors.length) return [];
  const settings = rest.length === 0 ? others : { ...settingsOf(docker), [KEY]: rest };
  return changed(docker, Object.keys(settings).length === 0 ? undefined : settings);
}

/** Docker adds a slash at the end by itself. */
function isSame(mirror: unknown, url: string): boolean {
  return typeof mirror === 'string' && mirror.replace(/\/+$/, '') === url;
}

function settingsOf({ file, text = '' }: DockerFile): Record<string, unknown> {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return { ...value };
  } catch (error) {
    throw new CodedError('FAILED_PRECONDITION', `"${file}" is not JSON; mend it first`, { cause: error });
  }
  throw new CodedError('FAILED_PRECONDITION', `"${file}" is JSON, but not an object; mend it first`);
}

function mirrorsOf({ file }: DockerFile, settings: Readonly<Record<string, unknown>>): unknown[] {
  const mirrors = settings[KEY] ?? [];
  if (Array.isArray(mirrors)) return mirrors;
  throw new CodedError('FAILED_PRECONDITION', `"${file}": ${KEY} is not a list; mend it first`);
}

function changed({ file, text }: DockerFile, settings: Record<string, unknown> | undefined): FileChange[] {
  const indent = /^\{\s*\n([ \t]+)/.exec(text ?? '')?.[1] ?? '  ';
  return [{ file, before: text, after: settings && `${JSON.stringify(settings, null, indent)}\n` }];
}
