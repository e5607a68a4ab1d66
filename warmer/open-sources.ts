/** The sources that a configuration names, and the cluster whose Lease keeps two warmers apart. */
import { homedir } from 'node:os';
import type { Clock } from '../core/runtime/clock.ts';
import type { Environment } from '../core/runtime/config-reader.ts';
import type { Part } from '../core/runtime/lifecycle.ts';
import type { Logger } from '../core/runtime/log.ts';
import type { SourceConfig, WarmerConfig } from './config.ts';
import { type ChartRenderer, findHelm } from './sources/charts/helm.ts';
import { createComposeSource } from './sources/compose/compose-source.ts';
import { createFilesSource } from './sources/files/files-source.ts';
import { createListSource } from './sources/image-list.ts';
import { type Cluster, createCluster, type WatchedSource } from './sources/kubernetes/cluster.ts';
import type { Source } from './sources/source.ts';
import { replayed } from './survey/replayed-input.ts';

export interface SourcesDeps {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: Logger;
  /** How messages name the configuration: images that it lists stand there. */
  readonly configFile: string;
  /** Watch clusters rather than list them at each reading: for a daemon. */
  readonly isWatching: boolean;
  /** Numbers from 0 to just below 1. */
  random(): number;
}

export interface OpenedSources {
  readonly sources: readonly Source[];
  /** Of the first source that is one. */
  readonly cluster: Cluster | undefined;
  /** Those that watch: to be started before they are read. */
  readonly parts: readonly Part[];
  readonly watched: readonly WatchedSource[];
  /** Ends connections. */
  close(): void;
}

export async function openSources(config: WarmerConfig, deps: SourcesDeps): Promise<OpenedSources> {
  const helm = config.sources.some(({ kind }) => kind === 'files') ? await findHelm(deps.env) : undefined;
  const clusters: Cluster[] = [];
  const watched: WatchedSource[] = [];
  // A daemon reads its sources again and again; stdin gives what it has once.
  const stdin = replayed(deps.stdin);
  const sources = config.sources.map((source): Source => {
    if (source.kind !== 'kubernetes') return openSource(source, { ...deps, stdin, helm });
    const { kubeconfig, context, namespaces, selector } = source;
    const cluster = createCluster({ ...deps, homeDirectory: deps.env.HOME ?? homedir() }, { kubeconfig, context });
    clusters.push(cluster);
    const kinds = config.rules.flatMap((rule) => rule.kinds);
    const isWhole = config.rules.some((rule) => rule.kinds.length === 0);
    const scope = { namespaces, kinds, selector, isWhole };
    if (!deps.isWatching) return cluster.source(scope);
    const watch = cluster.watch(scope);
    watched.push(watch);
    return watch;
  });
  const close = () => {
    for (const cluster of clusters) cluster.close();
  };
  const parts = watched.map((service, index) => ({ name: `cluster ${index + 1}`, service }));
  return { sources, cluster: clusters[0], parts, watched, close };
}

function openSource(source: SourceConfig, deps: SourcesDeps & { helm: ChartRenderer | undefined }): Source {
  const { path = '', values, overrides, profiles, envFiles, images } = source;
  if (source.kind === 'files') return createFilesSource(deps, { path, values });
  if (source.kind === 'compose') {
    return createComposeSource(deps, { path, overrides, profiles, ...(envFiles.length > 0 && { envFiles }) });
  }
  return createListSource(images.map(({ text, line }) => ({ image: text, file: deps.configFile, line })));
}
