/**
 * Everything up to the plan, in its order: sources and their forecast, the fleet, images at their registries, what nodes hold, the
 * plan itself. Moves no byte of a layer.
 */
import type { Digest } from '../core/oci/digest.ts';
import { messageOf } from '../core/runtime/errors.ts';
import type { WarmerConfig } from './config.ts';
import { blobsOf, type FailedImage, type ImageResolver, type ResolvedImage } from './images/images.ts';
import type { PullSecrets } from './images/pull-secrets.ts';
import { makePlan } from './plan/make-plan.ts';
import type { Plan } from './plan/plan.ts';
import type { PlanImage, PlanNode } from './plan/plan-input.ts';
import { wantedPlatforms } from './plan/wanted-platforms.ts';
import { expectedRate, type RateMemory } from './schedule/rate-memory.ts';
import type { Fleet } from './seed/fleet.ts';
import type { FindOptions } from './sources/find-images.ts';
import type { Source } from './sources/source.ts';
import { clipped, type Unresolved } from './sources/unresolved.ts';
import { fleetNodes, holding, nodesOfCluster } from './survey/fleet-nodes.ts';
import { surveySources } from './survey/read-sources.ts';
import type { Survey } from './survey/survey.ts';
import { referencesOf, wantedImages } from './survey/wanted-images.ts';

/** Places of one failed image that are told. */
const PLACES_MAX = 3;

/** `resolve`: at the registries. `remember`: as an earlier run found them. `offline`: no registry is asked, digests stay unknown. */
export type ImageLookup = 'resolve' | 'remember' | 'offline';

export interface PrepareDeps {
  readonly sources: readonly Source[];
  readonly find: FindOptions;
  readonly fleet: Fleet;
  readonly images: ImageResolver;
  /** Takes the pull secrets of this reading, before images are resolved. */
  useSecrets(secrets: PullSecrets): void;
}

export interface PrepareOptions {
  readonly nowMs: number;
  readonly lookup: ImageLookup;
  /** Images of an earlier run, for `remember`. */
  readonly remembered?: ReadonlyMap<string, ResolvedImage>;
  readonly rates: RateMemory;
  /** Go on without the fleet when it does not answer: a plan can still be read. */
  readonly isFleetOptional: boolean;
  readonly signal: AbortSignal;
}

export interface Prepared {
  readonly plan: Plan;
  /** By reference. */
  readonly images: ReadonlyMap<string, ResolvedImage>;
  readonly failed: readonly FailedImage[];
  readonly nodes: readonly PlanNode[];
  /** By node that could not be asked: why. */
  readonly silent: ReadonlyMap<string, string>;
  /** Why the fleet could not be asked at all. */
  readonly fleetProblem: string | undefined;
}

export async function prepare(config: WarmerConfig, deps: PrepareDeps, options: PrepareOptions): Promise<Prepared> {
  const { nowMs, signal } = options;
  const forecast = { nowMs, horizonMs: config.schedule.horizonMs };
  const { survey, secrets } = await surveySources(deps.sources, { forecast, find: deps.find, signal });
  deps.useSecrets(secrets);
  const fleet = await askFleet(deps.fleet, survey, options);
  const found = await findImages(config, { survey, nodes: fleet.nodes }, deps, options);
  const presence = await askPresence(deps.fleet, found.images, fleet.names, signal);
  const nodes = holding(fleet.nodes, presence.held);
  const silent = new Map([...fleet.silent, ...presence.silent]);
  const unresolved = [
    ...survey.unresolved,
    ...found.failed.flatMap(placesOf),
    ...[...silent].map(([node, reason]) => ({
      file: '',
      line: 0,
      value: node,
      reason: `Node is not reached: ${reason}`,
    })),
    ...(fleet.problem === undefined ? [] : [{ file: '', line: 0, value: 'nodes', reason: fleet.problem }]),
  ];
  const plan = makePlan(
    { images: planImages(survey, found.images), ...survey, nodes, unresolved },
    planOptions(config, options),
  );
  return { plan, ...found, nodes, silent, fleetProblem: fleet.problem };
}

interface AskedFleet {
  readonly nodes: readonly PlanNode[];
  /** Those that can be asked for what they hold. */
  readonly names: readonly string[];
  readonly silent: ReadonlyMap<string, string>;
  readonly problem: string | undefined;
}

async function askFleet(
  fleet: Fleet,
  { clusterNodes }: Survey,
  { signal, isFleetOptional }: PrepareOptions,
): Promise<AskedFleet> {
  try {
    const members = await fleet.members({ signal });
    const reached = members.filter(({ isReached, mode }) => isReached && mode !== 'observer');
    const silent = members
      .filter(({ isReached }) => !isReached)
      .map(({ name }): [string, string] => [name, 'no answer']);
    return {
      nodes: fleetNodes({ members, clusterNodes }),
      names: reached.map(({ name }) => name),
      silent: new Map(silent),
      problem: undefined,
    };
  } catch (error) {
    if (signal.aborted || !isFleetOptional) throw error;
    return { nodes: nodesOfCluster(clusterNodes), names: [], silent: new Map(), problem: messageOf(error) };
  }
}

async function findImages(
  { target }: WarmerConfig,
  { survey, nodes }: { survey: Survey; nodes: readonly PlanNode[] },
  { images }: PrepareDeps,
  options: PrepareOptions,
): Promise<{ images: ReadonlyMap<string, ResolvedImage>; failed: readonly FailedImage[] }> {
  if (options.lookup === 'offline') return { images: new Map(), failed: [] };
  if (options.lookup === 'remember') return { images: options.remembered ?? new Map(), failed: [] };
  const platforms = wantedPlatforms(referencesOf(survey), { ...survey, nodes, mode: target.nodes });
  const found = await images.resolve(wantedImages(survey, platforms), { signal: options.signal });
  return { images: new Map(found.images.map((image) => [image.reference, image])), failed: found.failed };
}

async function askPresence(
  fleet: Fleet,
  images: ReadonlyMap<string, ResolvedImage>,
  nodes: readonly string[],
  signal: AbortSignal,
) {
  const digests = new Set<Digest>();
  for (const image of images.values()) for (const { digest } of blobsOf(image)) digests.add(digest);
  if (digests.size === 0 || nodes.length === 0) return { held: new Map(), silent: new Map<string, string>() };
  return fleet.presence({ digests: [...digests], nodes }, { signal });
}

/** What was not resolved has a name and nothing else. */
function planImages(survey: Survey, images: ReadonlyMap<string, ResolvedImage>): PlanImage[] {
  return [...referencesOf(survey)].map(
    (reference) => images.get(reference) ?? { reference, digest: undefined, indexes: [], variants: [] },
  );
}

function planOptions({ schedule, target }: WarmerConfig, { nowMs, rates }: PrepareOptions) {
  return {
    nowMs,
    mode: target.nodes,
    copies: target.copies,
    marginMs: schedule.marginMs,
    defaultLeadMs: schedule.defaultReplicasLeadMs,
    bytesPerSecond: expectedRate(rates),
    maxBytesPerNode: target.maxBytesPerNode,
  };
}

function placesOf({ reference, uses, reason }: FailedImage): Unresolved[] {
  const told = uses.slice(0, PLACES_MAX).map(({ file, line, document }) => ({ file, line, document }));
  const places = told.length === 0 ? [{ file: '', line: 0 }] : told;
  return places.map((place) => ({ ...place, value: clipped(reference), reason }));
}
