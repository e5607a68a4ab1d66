/**
 * Docker's daemon.json: the mirror in `registry-mirrors`, behind those that are there, or Docker's images in containerd
 * (`features.containerd-snapshotter`); every other key as it was. Pure.
 */
import { isJsonObject } from '../../core/oci/descriptor-json.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { FileChange } from './file-changes.ts';

export const DOCKER_CONFIG = '/etc/docker/daemon.json';
const KEY = 'registry-mirrors';
const FEATURES = 'features';
const STORE = 'containerd-snapshotter';
/** Drivers of Docker's own store that are no snapshotters of containerd: with these dockerd would not start. */
const OWN_DRIVERS: ReadonlySet<unknown> = new Set(['overlay2', 'vfs', 'aufs', 'devicemapper', 'overlay']);

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

/** Whether Docker keeps its images in containerd, so far as the file says; Docker 29 does where it starts anew. */
export function keepsInContainerd(docker: DockerFile): boolean | undefined {
  const value = featuresOf(docker, settingsOf(docker))[STORE];
  return typeof value === 'boolean' ? value : undefined;
}

/** Docker's images in containerd, whose content store is the plugin. @throws CodedError FAILED_PRECONDITION */
export function planDockerStore(docker: DockerFile): FileChange[] {
  const settings = settingsOf(docker);
  const features = featuresOf(docker, settings);
  const driver = settings['storage-driver'];
  if (OWN_DRIVERS.has(driver)) {
    throw new CodedError(
      'FAILED_PRECONDITION',
      `"${docker.file}" has storage-driver "${driver}", which containerd does not know; take that key out first`,
    );
  }
  return features[STORE] === true ? [] : changed(docker, { ...settings, [FEATURES]: { ...features, [STORE]: true } });
}

/** Takes the feature away, and what is empty without it. */
export function planNoDockerStore(docker: DockerFile): FileChange[] {
  if (docker.text === undefined) return [];
  const settings = settingsOf(docker);
  const { [STORE]: found, ...features } = featuresOf(docker, settings);
  if (found !== true) return [];
  const { [FEATURES]: _, ...others } = settings;
  const rest = Object.keys(features).length === 0 ? others : { ...settings, [FEATURES]: features };
  return changed(docker, Object.keys(rest).length === 0 ? undefined : rest);
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

function featuresOf(
  { file }: DockerFile,
  settings: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const features = settings[FEATURES] ?? {};
  if (isJsonObject(features)) return features;
  throw new CodedError('FAILED_PRECONDITION', `"${file}": ${FEATURES} is not an object; mend it first`);
}

function changed({ file, text }: DockerFile, settings: Record<string, unknown> | undefined): FileChange[] {
  const indent = /^\{\s*\n([ \t]+)/.exec(text ?? '')?.[1] ?? '  ';
  return [{ file, before: text, after: settings && `${JSON.stringify(settings, null, indent)}\n` }];
}
