/** Looks at the node and its fleet while somebody watches, and tells what changed. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Digest } from '../../../core/oci/digest.ts';
import type { Service } from '../../../core/runtime/lifecycle.ts';
import { type MemberFacts, SWARMS_TOLD_MAX, type Surveyed } from '../../survey/survey.ts';
import type { AdminDeps, MemberRow } from '../admin.ts';
import { sendJson } from '../json-answers.ts';
import { statusJson } from '../status-json.ts';
import { summarise } from './fleet-summary.ts';
import { HEARTBEAT_MS, LiveClients } from './live-clients.ts';
import { MemberHistory } from './member-changes.ts';
import { MemberViews } from './member-view.ts';
import type { PlanBoard } from './plan-board.ts';
import { type InSwarm, swarmViews } from './swarm-view.ts';
import { POINT_EVERY_MS, TrafficHistory } from './traffic-history.ts';

/** Milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** A fleet of more members is looked at less often: a look at 5,000 takes some 10 ms of the node's time. */
const LARGE_FLEET = 1_000;
const LOOK_AT_LARGE_EVERY_MS = 5_000;

/** Members told one by one; when more changed at once, pages are told to ask for the whole. */
const CHANGES_TOLD_MAX = 500;

export type LiveDeps = Pick<
  AdminDeps,
  'status' | 'readiness' | 'members' | 'sourcesOf' | 'ownFacts' | 'survey' | 'clock'
> & { readonly plans: PlanBoard };

export interface LiveView extends Service {
  /** `GET /api/v1/events`. @throws CodedError RESOURCE_EXHAUSTED */
  watch(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** `GET /api/v1/fleet`: all of it, as it is told from there on. */
  whole(response: ServerResponse): Promise<void>;
}

export function createLiveView(deps: LiveDeps): LiveView {
  return new Live(deps);
}

class Live implements LiveView {
  readonly #deps: LiveDeps;
  readonly #clients = new LiveClients((count) => this.#onCount(count));
  readonly #history = new MemberHistory();
  readonly #traffic = new TrafficHistory();
  readonly #told = new Map<string, string>();
  #views: MemberViews | undefined;
  #endWatch: (() => void) | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #sampledAtMs = Number.NEGATIVE_INFINITY;
  #spokeAtMs = 0;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(deps: LiveDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#stop = new AbortController();
    this.#running = this.#run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#clients.close();
    await this.#running;
  }

  async watch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Whoever comes first is not told everything as news.
    if (this.#clients.size === 0) this.#lookAtMembers(await this.#deps.ownFacts());
    this.#clients.add(request, response);
  }

  async whole(response: ServerResponse): Promise<void> {
    const own = await this.#deps.ownFacts();
    // Those who watch are told of it as well: a state that only one of them has could not be followed.
    this.#lookAtMembers(own);
    const { status, readiness, plans } = this.#deps;
    sendJson(response, 200, {
      node: statusJson(status(), readiness()),
      rev: this.#history.rev,
      members: this.#history.members(),
      summary: summarise(this.#history.members()),
      swarms: this.#swarms(own),
      traffic: this.#traffic.points(),
      plan_rev: plans.rev,
    });
  }

  #onCount(count: number): void {
    if (count > 0) this.#endWatch ??= this.#deps.survey?.watch();
    else {
      this.#endWatch?.();
      this.#endWatch = undefined;
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Before the node is whole there is nothing to look at.
      if (this.#deps.readiness().ready) await this.#beat().catch(() => undefined);
      await this.#deps.clock.sleep(LOOK_EVERY_MS, { signal }).catch(() => undefined);
    }
  }

  async #beat(): Promise<void> {
    const nowMs = this.#deps.clock.monotonicMs();
    const isSampleDue = nowMs - this.#sampledAtMs >= POINT_EVERY_MS;
    if (!isSampleDue && this.#clients.size === 0) return;
    const own = await this.#deps.ownFacts();
    if (isSampleDue) this.#sample(own, nowMs);
    if (this.#clients.size === 0) return;
    const everyMs = this.#history.members().length > LARGE_FLEET ? LOOK_AT_LARGE_EVERY_MS : LOOK_EVERY_MS;
    if (nowMs - this.#lookedAtMs >= everyMs - LOOK_EVERY_MS / 2) this.#lookAtMembers(own);
    this.#tellIfNew('swarms', this.#swarms(own));
    this.#tellIfNew('node', statusJson(this.#deps.status(), this.#deps.readiness()));
    this.#tellIfNew('plan', { rev: this.#deps.plans.rev });
    if (nowMs - this.#spokeAtMs < HEARTBEAT_MS) return;
    this.#spokeAtMs = nowMs;
    this.#clients.heartbeat();
  }

  #sample(own: MemberFacts, nowMs: number): void {
    this.#sampledAtMs = nowMs;
    const known = [...this.#others()].flatMap(([name, { facts }]) => (facts ? [[name, facts] as const] : []));
    const point = this.#traffic.sample(this.#deps.clock.now(), [['', own] as const, ...known]);
    if (point !== undefined) this.#clients.tell('traffic', point);
  }

  #lookAtMembers(own: MemberFacts): void {
    this.#lookedAtMs = this.#deps.clock.monotonicMs();
    const status = this.#deps.status();
    this.#views ??= new MemberViews(status.name);
    const self: Surveyed = { askedAtMs: 0, facts: own, skewMs: 0, failure: undefined };
    const rows = [...this.#deps.members()];
    const all = rows.length === 0 ? [aloneRow(status)] : rows;
    const surveyed = new Map([...this.#others(), [status.name, self]]);
    const changes = this.#history.look(this.#views.views(all, surveyed));
    if (changes === undefined) return;
    const isTooMuch = changes.changed.length + changes.gone.length > CHANGES_TOLD_MAX;
    if (isTooMuch) this.#clients.tell('stale', { rev: changes.rev });
    else this.#clients.tell('members', changes);
    this.#tellIfNew('summary', summarise(this.#history.members()));
  }

  #swarms(own: MemberFacts) {
    const { name, zone } = this.#deps.status();
    const zones = new Map(this.#history.members().map((member) => [member.name, member.zone]));
    const others = [...this.#others()].flatMap(([member, { facts, failure }]): InSwarm[] =>
      facts === undefined || failure !== undefined || facts.swarms.length === 0
        ? []
        : [{ name: member, zone: zones.get(member) ?? '', swarms: facts.swarms }],
    );
    const ours = { name, zone, swarms: own.swarms.slice(0, SWARMS_TOLD_MAX) };
    const sourcesOf = (digest: Digest) =>
      this.#deps.sourcesOf(digest).map(({ registry, repository }) => `${registry}/${repository}`);
    return swarmViews([ours, ...others], sourcesOf);
  }

  #others(): ReadonlyMap<string, Surveyed> {
    return this.#deps.survey?.surveyed() ?? new Map();
  }

  #tellIfNew(event: string, data: unknown): void {
    const text = JSON.stringify(data);
    if (this.#told.get(event) === text) return;
    this.#told.set(event, text);
    this.#clients.tell(event, data);
  }
}

/** A node without a mesh is a fleet of one. */
function aloneRow({ name, zone, version }: ReturnType<AdminDeps['status']>): MemberRow {
  return { name, address: '127.0.0.1', port: 0, state: 'alive', node: { zone, peerPort: 0, version, mode: 'full' } };
}
