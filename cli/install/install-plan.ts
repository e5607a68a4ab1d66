/** What installing into containerd, and taking it back, changes; and when it must not. Pure. */
import { basename } from 'node:path';
import { CodedError } from '../../core/runtime/errors.ts';
import type { NodeConfig } from '../../plugin/config.ts';
import type { ContainerdFiles } from './containerd-files.ts';
import { BUILT_IN_CONTENT, PLUGIN_NAME, builtInContentRoot } from './containerd-facts.ts';
import { isOnlyHeader, newShoalConfig, setContentRoot, unsetContentRoot } from './content-root-edit.ts';
import type { FileChange } from './file-changes.ts';
import { addPlugin, beforeNewConfig, newContainerdConfig, removePlugin } from './plugin-edit.ts';

export interface InstallFacts {
  readonly containerd: ContainerdFiles;
  readonly shoal: { readonly file: string; readonly text: string | undefined; readonly config: NodeConfig };
  /** containerd's root directory when it is not what its configuration says. */
  readonly root: string | undefined;
  /** Mount points below the content directory. */
  readonly mounts: readonly string[];
}

export interface InstallPlan {
  readonly changes: readonly FileChange[];
  readonly contentRoot: string;
  readonly warnings: readonly string[];
}

/**
 * The changes that make the plugin containerd's only content store, over containerd's own directory; none when it is so.
 * @throws CodedError FAILED_PRECONDITION in words that say what to do
 */
export function planInstall(facts: InstallFacts): InstallPlan {
  const { containerd, shoal } = facts;
  const { socket } = shoal.config.content;
  if (socket === undefined)
    throw refused(`content.socket in "${shoal.file}" is "", so there is no plugin to install; set it`);
  checkContainerd(containerd);
  const contentRoot = contentRootOf(facts);
  if (facts.mounts.length > 0) {
    throw refused(
      `"${facts.mounts[0]}" is a mount below "${contentRoot}", and hard links cannot cross it; unmount it first`,
    );
  }
  const changes = [
    change(shoal.file, shoal.text, newRoot(shoal.text, shoal.file, contentRoot)),
    change(containerd.file, containerd.text, newPlugin(containerd, socket)),
  ].flat();
  return { changes, contentRoot, warnings: warningsOf(facts) };
}

/** The changes that give containerd its built-in store back; none when nothing of ours is there. */
export function planUninstall(facts: Omit<InstallFacts, 'mounts'>): InstallPlan {
  const { containerd, shoal } = facts;
  const installed = shoal.config.content.root;
  const contentRoot = basename(installed) === BUILT_IN_CONTENT ? installed : contentRootOf(facts);
  return {
    changes: [
      change(containerd.file, containerd.text, withoutPlugin(containerd)),
      change(shoal.file, shoal.text, withoutRoot(shoal.text, shoal.file, contentRoot)),
    ].flat(),
    contentRoot,
    warnings: containerd.imports
      .filter(({ facts: imported }) => imported.contentProxies.some(({ name }) => name === PLUGIN_NAME))
      .map(
        ({ file }) =>
          `"${file}", which containerd imports, has proxy_plugins.${PLUGIN_NAME} as well; it was not changed, remove it there`,
      ),
  };
}

function contentRootOf({ containerd, root }: Pick<InstallFacts, 'containerd' | 'root'>): string {
  return builtInContentRoot(root ?? containerd.facts.root);
}

function checkContainerd({ file, facts, imports }: ContainerdFiles): void {
  if (!facts.isEmpty && facts.version !== 2 && facts.version !== 3) {
    const said =
      facts.version === undefined ? 'no version, which containerd 1.x reads as version 1' : `version ${facts.version}`;
    throw refused(
      `"${file}" says ${said}; the plugin needs version 2 or 3. ` +
        'Write it anew with "containerd config migrate" (1.7 and later) or from "containerd config default"',
    );
  }
  for (const { file: where, facts: found } of [{ file, facts }, ...imports]) {
    const other = found.contentProxies.find(({ name }) => name !== PLUGIN_NAME);
    if (other !== undefined) {
      throw refused(
        `Two content stores would be active: "${where}" has proxy_plugins.${other.name} of type content already. ` +
          `containerd takes one only; remove proxy_plugins.${other.name} (by its own uninstall, if it has one), then install again`,
      );
    }
    if (found.isBuiltInRequired) {
      throw refused(
        `"${where}" lists the built-in content store in required_plugins, and it has to be off; remove it there`,
      );
    }
  }
}

function warningsOf({ containerd, shoal }: InstallFacts): string[] {
  const { content } = shoal.config;
  const inImports = containerd.imports.filter(
    ({ facts }) => facts.isBuiltInDisabled || facts.contentProxies.length > 0,
  );
  const policies = [containerd.facts, ...containerd.imports.map(({ facts }) => facts)].map(
    (facts) => facts.sharingPolicy,
  );
  return [
    ...inImports.map(
      ({ file }) => `"${file}", which containerd imports, sets the same keys and wins over "${containerd.file}"`,
    ),
    ...(policies.includes('isolated')
      ? [
          'containerd\'s content_sharing_policy is "isolated": it fetches every blob itself; set it to "shared" to have claims',
        ]
      : []),
    ...(content.containerd !== undefined && content.containerd !== containerd.facts.address
      ? [
          `content.containerd in "${shoal.file}" is "${content.containerd}", but containerd listens on "${containerd.facts.address}"`,
        ]
      : []),
  ];
}

function newRoot(text: string | undefined, file: string, root: string): string {
  return text === undefined ? newShoalConfig(root) : setContentRoot(text, file, root);
}

function newPlugin({ text, file, facts }: ContainerdFiles, socket: string): string {
  return text === undefined || facts.isEmpty ? newContainerdConfig(text ?? '', socket) : addPlugin(text, file, socket);
}

function withoutPlugin({ text, file }: ContainerdFiles): string | undefined {
  if (text === undefined) return undefined;
  const rest = removePlugin(text, file);
  const before = beforeNewConfig(rest, file);
  if (before === undefined) return rest;
  return before === '' ? undefined : before;
}

function withoutRoot(text: string | undefined, file: string, root: string): string | undefined {
  if (text === undefined) return undefined;
  const rest = unsetContentRoot(text, file, root);
  return isOnlyHeader(rest) ? undefined : rest;
}

function change(file: string, before: string | undefined, after: string | undefined): FileChange[] {
  return before === after ? [] : [{ file, before, after }];
}

function refused(message: string): CodedError {
  return new CodedError('FAILED_PRECONDITION', message);
}
