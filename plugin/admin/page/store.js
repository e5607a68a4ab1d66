/** What the page knows of the fleet, and who is to be told when something of it changes. */

/**
 * @typedef {{ started_at: string, blobs: number, bytes: number, bytes_by_hold: Record<'containerd'|'cache'|'pin', number>, capacity_bytes: number,
 *   free_bytes: number, flights: number, swarms: number, bytes_from_registries: number, bytes_from_peers: number, bytes_served: number,
 *   skew_seconds: number }} Facts
 * @typedef {{ name: string, address: string, state: string, shoal: boolean, self: boolean, zone: string, version: string, mode: string,
 *   facts: Facts | null, silent: string | null }} Member
 * @typedef {{ zone: string, members: number, alive: number, told: number, bytes: number, capacity_bytes: number, free_bytes: number, flights: number }} Zone
 * @typedef {{ states: Record<string, number>, members: number, told: number, silent: number, blobs: number, bytes: number, capacity_bytes: number,
 *   free_bytes: number, flights: number, bytes_from_registries: number, bytes_from_peers: number, bytes_served: number, skewed: number,
 *   versions: { version: string, members: number }[], zones: Zone[] }} Summary
 * @typedef {{ name: string, zone: string, pieces_here: number, map: string, leases: number, bytes_from_peers: number, bytes_from_source: number }} SwarmMember
 * @typedef {{ digest: string, size: number, pieces: number, sources: string[], members: number, map: string, bytes_from_peers: number,
 *   bytes_from_source: number, rows: SwarmMember[] }} Swarm
 * @typedef {{ at: number, registries: number, peers: number, served: number }} Point
 * @typedef {{ name: string, zone: string, version: string, ready: boolean, reason?: string, started_at: string,
 *   content: { containerd: string, socket: string | null, claim: string },
 *   mesh: null | { sealed: boolean, insecure: boolean, banned: string[], join_failure: string | null } }} NodeStatus
 * @typedef {{ ref: string, digest: string | null, bytes: number | null, nodes_wanted: number, nodes_warm: number }} PlanImage
 * @typedef {{ at: string, start_by: string, kind: string, namespace: string | null, name: string, replicas: number | null, images: string[] }} PlanEvent
 * @typedef {{ started_at: string, ended_at: string | null, present: number, fetched: number, skipped: number, failed: number, bytes_fetched: number }} PlanRun
 * @typedef {{ at: string, warmer: string, received_at: string, events: PlanEvent[], images: PlanImage[], run: PlanRun | null }} Plan
 * @typedef {'node' | 'members' | 'summary' | 'swarms' | 'traffic' | 'plan' | 'live' | 'token'} Topic
 */

/** As many points as the node keeps. */
const POINTS_MAX = 360;

export class Store {
  /** @type {NodeStatus | undefined} */ node;
  /** @type {Map<string, Member>} */ members = new Map();
  /** @type {Summary | undefined} */ summary;
  /** @type {Swarm[]} */ swarms = [];
  /** @type {Point[]} */ traffic = [];
  /** @type {Plan | null | undefined} */ plan;
  /** @type {'waiting' | 'live' | 'lost'} */ live = 'waiting';
  /** @type {string | undefined} */ token;
  /** The number of the state that `members` is. */
  rev = 0;
  /** @type {Map<Topic, (() => void)[]>} */ #listeners = new Map();
  /** @type {Set<Topic>} */ #changed = new Set();
  #isDrawing = false;

  /** Called before the next frame after any of the topics changed. @param {Topic[]} topics @param {() => void} listener */
  on(topics, listener) {
    for (const topic of topics) this.#listeners.set(topic, [...(this.#listeners.get(topic) ?? []), listener]);
  }

  /** @param {Topic[]} topics */
  touch(...topics) {
    for (const topic of topics) this.#changed.add(topic);
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => this.#draw());
  }

  /** @param {{ rev: number, changed: Member[], gone: string[] }} changes */
  applyMembers({ rev, changed, gone }) {
    for (const member of changed) this.members.set(member.name, member);
    for (const name of gone) this.members.delete(name);
    this.rev = rev;
    this.touch('members');
  }

  /** @param {Point} point */
  addPoint(point) {
    this.traffic = [...this.traffic, point].slice(-POINTS_MAX);
    this.touch('traffic');
  }

  #draw() {
    this.#isDrawing = false;
    const listeners = new Set([...this.#changed].flatMap((topic) => this.#listeners.get(topic) ?? []));
    this.#changed.clear();
    for (const listener of listeners) listener();
  }
}
