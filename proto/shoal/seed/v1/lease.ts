/**
 * `POST /api/v1/leases`: a lease in the fleet's memory, so that two warmers do not do the same work. It is kept by the member that owns its
 * name in the mesh and copied to the next two; alone, by this node. It saves work and decides nothing: when its keepers are all gone at once, or the
 * mesh is split, two may hold it for a while, and the one with the lower `fencing` is the older.
 */
export interface LeaseRequest {
  /** 1 to 100 of `A-Z a-z 0-9 . _ / : @ -`. */
  name: string;
  /** Who asks: the same on every call of one process, another for each process. 1 to 200 characters. */
  holder: string;
  /** `acquire` of one's own lease renews it. `renew` fails when it is lost. `release` of another's does nothing. */
  action: 'acquire' | 'renew' | 'release';
  /** From now, 5 to 3,600; ignored by `release`. Renew at a third of it. */
  seconds?: number;
}

/** 200 for every decision; 503 when no keeper could be asked. */
export interface LeaseAnswer {
  name: string;
  /** Whether the asker holds it now. */
  held: boolean;
  /** Who does; null when nobody. */
  holder: string | null;
  /** Rises with every change of holder; 0 when nobody ever held it. */
  fencing: number;
  /** Until it ends unless renewed, milliseconds; 0 when nobody holds it. */
  remaining_ms: number;
}
