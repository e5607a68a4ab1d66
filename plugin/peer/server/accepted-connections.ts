/** Connections that others opened: who is at the other end, what each is doing, and which must go. */
import type { Socket } from 'node:net';
import type { Clock } from '../../../core/runtime/clock.ts';
import type { PeerEvents } from '../events.ts';
import type { PeerLimits } from '../limits.ts';
import { SendPace } from './send-pace.ts';

/** `reading`: a request's body is coming. `sending`: the peer has to take bytes, `ending`: the last of them. `working`: this node has to act. */
type Doing = 'idle' | 'reading' | 'sending' | 'ending' | 'working';

export class AcceptedConnection {
  readonly socket: Socket;
  /** The caller's name as its certificate says it, or its address. */
  readonly peer: string;
  readonly authorityIds: readonly string[];
  /** Of ranges to it. */
  readonly pace = new SendPace();
  /** A request that came when the last answer was given but not yet known to be sent. */
  next: (() => void) | undefined;
  readonly #clock: Clock;
  #doing: Doing = 'idle';
  #sinceMs: number;

  constructor(facts: { socket: Socket; peer: string; authorityIds: readonly string[] }, clock: Clock) {
    this.socket = facts.socket;
    this.peer = facts.peer;
    this.authorityIds = facts.authorityIds;
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  get doing(): Doing {
    return this.#doing;
  }

  now(doing: Doing): void {
    this.#doing = doing;
    this.#sinceMs = this.#clock.monotonicMs();
  }

  forMs(): number {
    return this.#clock.monotonicMs() - this.#sinceMs;
  }
}

type Limits = Pick<PeerLimits, 'acceptedMax' | 'acceptedIdleMs' | 'requestBodyMs' | 'slowReaderMs'>;

export class AcceptedConnections {
  readonly #limits: Limits;
  readonly #events: PeerEvents;
  readonly #bySocket = new Map<Socket, AcceptedConnection>();

  constructor(limits: Limits, events: PeerEvents) {
    this.#limits = limits;
    this.#events = events;
  }

  get size(): number {
    return this.#bySocket.size;
  }

  get(socket: Socket): AcceptedConnection | undefined {
    return this.#bySocket.get(socket);
  }

  /** Takes a connection in; when there is no place, the one that is idle longest goes. @returns false when none is idle */
  add(connection: AcceptedConnection): boolean {
    if (this.size >= this.#limits.acceptedMax && !this.#makePlace()) return false;
    this.#bySocket.set(connection.socket, connection);
    connection.socket.once('close', () => this.#bySocket.delete(connection.socket));
    return true;
  }

  /** @returns how many were closed */
  closeThoseOf(authorityIds: ReadonlySet<string>): number {
    const found = [...this.#bySocket.values()].filter((one) => one.authorityIds.some((id) => authorityIds.has(id)));
    for (const { socket } of found) socket.destroy();
    return found.length;
  }

  closeAll(): void {
    for (const socket of [...this.#bySocket.keys()]) socket.destroy();
  }

  /** To be called now and then: ends those that keep this node waiting. */
  sweep(): void {
    const { acceptedIdleMs, requestBodyMs, slowReaderMs } = this.#limits;
    const patience = { idle: acceptedIdleMs, reading: requestBodyMs, sending: slowReaderMs, ending: slowReaderMs };
    const maxMs = { ...patience, working: Number.POSITIVE_INFINITY };
    for (const connection of [...this.#bySocket.values()]) {
      if (connection.forMs() <= maxMs[connection.doing]) continue;
      this.#events.refused(connection.doing === 'idle' ? 'idle' : 'slow', { peer: connection.peer });
      connection.socket.destroy();
    }
  }

  #makePlace(): boolean {
    const idle = [...this.#bySocket.values()].filter(({ doing }) => doing === 'idle');
    const [longest] = idle.sort((a, b) => b.forMs() - a.forMs());
    if (longest === undefined) return false;
    this.#bySocket.delete(longest.socket);
    longest.socket.destroy();
    this.#events.refused('too_many_connections', { peer: longest.peer });
    return true;
  }
}
