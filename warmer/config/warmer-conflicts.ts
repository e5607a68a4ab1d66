/** Mixes of settings that cannot work together. Each names every knob it is about. Pure. */
import type { Conflict } from '../../core/runtime/config.ts';
import type { Read } from '../../core/runtime/config-schema.ts';
import type { SOURCE_KINDS, warmerShape } from './warmer-shape.ts';

export type WarmerFile = Read<typeof warmerShape>;
type SourceFile = WarmerFile['sources'][number];
type SourceKind = (typeof SOURCE_KINDS)[number];

/** Keys that only some kinds of sources have. */
const KEYS_OF_KINDS: readonly {
  readonly key: string;
  readonly kinds: readonly SourceKind[];
  isSet(source: SourceFile): boolean;
}[] = [
  { key: 'path', kinds: ['files', 'compose'], isSet: ({ path }) => path !== undefined },
  { key: 'values', kinds: ['files'], isSet: ({ values }) => values.length > 0 },
  { key: 'overrides', kinds: ['compose'], isSet: ({ overrides }) => overrides.length > 0 },
  { key: 'profiles', kinds: ['compose'], isSet: ({ profiles }) => profiles.length > 0 },
  { key: 'env_files', kinds: ['compose'], isSet: ({ envFiles }) => envFiles.length > 0 },
  { key: 'kubeconfig', kinds: ['kubernetes'], isSet: ({ kubeconfig }) => kubeconfig !== undefined },
  { key: 'context', kinds: ['kubernetes'], isSet: ({ context }) => context !== undefined },
  { key: 'namespaces', kinds: ['kubernetes'], isSet: ({ namespaces }) => namespaces.length > 0 },
  { key: 'selector', kinds: ['kubernetes'], isSet: ({ selector }) => selector !== undefined },
  { key: 'list', kinds: ['images'], isSet: ({ images }) => images.length > 0 },
];

/** Every conflict of a configuration, in no order. */
export function warmerConflicts(file: WarmerFile): Conflict[] {
  return [
    ...file.sources.flatMap((source, index) => sourceConflicts(source, `source[${index}]`)),
    ...stdinConflicts(file),
    ...scheduleConflicts(file),
    ...registryConflicts(file),
  ];
}

function sourceConflicts(source: SourceFile, at: string): Conflict[] {
  const foreign = KEYS_OF_KINDS.filter(({ kinds, isSet }) => isSet(source) && !kinds.includes(source.kind));
  const needs = source.kind === 'images' ? 'list' : source.kind === 'kubernetes' ? undefined : 'path';
  const isMissing = KEYS_OF_KINDS.some(({ key, isSet }) => key === needs && !isSet(source));
  return [
    ...foreign.map(({ key, kinds }) => ({
      keys: [`${at}.${key}`, `${at}.kind`],
      message: `${at}.${key} belongs to kind = ${kinds.map((kind) => `"${kind}"`).join(' or ')}, and ${at}.kind is "${source.kind}"`,
    })),
    ...when(isMissing, {
      keys: [`${at}.${needs}`, `${at}.kind`],
      message: `${at}.kind = "${source.kind}" needs ${at}.${needs}`,
    }),
  ];
}

/** What has been read once is gone. */
function stdinConflicts({ sources }: WarmerFile): Conflict[] {
  const users = sources.flatMap(({ path }, index) => (path === '-' ? [`source[${index}].path`] : []));
  return when(users.length > 1, {
    keys: users,
    message: `${users.join(' and ')} are "-": stdin can be read by one source only`,
  });
}

function scheduleConflicts({ schedule }: WarmerFile): Conflict[] {
  return when(schedule.marginMs >= schedule.horizonMs, {
    keys: ['schedule.margin', 'schedule.horizon'],
    message:
      'schedule.margin is not shorter than schedule.horizon; an event would be seen when everything should be warm already',
  });
}

function registryConflicts({ upstream }: WarmerFile): Conflict[] {
  const hosts = upstream.registries.map(({ host }) => host);
  return upstream.registries.flatMap(({ host, username, passwordFile }, index) => {
    const at = `upstream.registry[${index}]`;
    const first = hosts.indexOf(host);
    return [
      ...when(first !== index, {
        keys: [`${at}.host`, `upstream.registry[${first}].host`],
        message: `"${host}" is also upstream.registry[${first}].host; one table for each registry`,
      }),
      ...when((username === undefined) !== (passwordFile === undefined), {
        keys: [`${at}.username`, `${at}.password_file`],
        message: `${at}.username and ${at}.password_file belong together; give both or neither`,
      }),
    ];
  });
}

function when(isConflict: boolean, conflict: Conflict): Conflict[] {
  return isConflict ? [conflict] : [];
}
