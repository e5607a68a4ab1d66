/** Compares an opened store and its directory with what was promised. Returns what is wrong, in words. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, hexOf } from '../../../core/oci/digest.ts';
import type { Store } from '../../../plugin/store/store.ts';
import { blobOf, bytesOf } from './journal.ts';
import type { Ledger } from './ledger.ts';

export async function verify(store: Store, root: string, ledger: Ledger): Promise<string[]> {
  return [
    ...promises(store, ledger),
    ...(await blobs(store)),
    ...files(store, root),
    ...(await ingests(store, ledger, root)),
    ...(await partials(store, ledger, root)),
  ];
}

function* promises(store: Store, ledger: Ledger): Generator<string> {
  for (const digest of ledger.containerd) {
    if (store.stat(digest)?.holds.has('containerd') !== true) yield `committed blob ${digest} lost`;
  }
  for (const digest of ledger.released) {
    if (store.stat(digest)?.holds.has('containerd') === true) yield `released blob ${digest} is held again`;
  }
  for (const [digest, size] of ledger.claims) {
    const claim = store.claim(digest);
    if (claim?.size !== size || claim.sources.length !== 1) yield `claim ${digest} lost or changed`;
  }
  for (const digest of ledger.unclaimed) if (store.claim(digest) !== undefined) yield `claim ${digest} came back`;
  const pins = new Map([...store.pins()].map((pin) => [pin.name, pin]));
  for (const name of ledger.unpinned) if (pins.has(name)) yield `pin ${name} came back`;
  for (const [name, promised] of ledger.pins) {
    if ((pins.get(name)?.untilMs ?? 0) < promised.untilMs) yield `pin ${name} lost or shorter`;
    for (const digest of promised.digests) {
      if (pins.get(name)?.digests.includes(digest) !== true) yield `pin ${name} lost ${digest}`;
      if (store.stat(digest)?.holds.has('pin') !== true) yield `pinned blob ${digest} lost`;
    }
  }
}

async function blobs(store: Store): Promise<string[]> {
  const wrong: string[] = [];
  for (const { digest, size } of store.list()) {
    const open = await store.open(digest);
    const bytes = Buffer.alloc(size + 1);
    const read = await open.read(bytes, 0);
    await open.close();
    if (read !== size || digestOf(bytes.subarray(0, read)) !== digest) wrong.push(`blob ${digest} has wrong bytes`);
  }
  return wrong;
}

/** Every file has a reason: nothing is left aside, and every name in a directory of blobs is a whole blob. */
function* files(store: Store, root: string): Generator<string> {
  for (const name of readdirSync(join(root, 'shoal/trash'))) yield `left in the trash: ${name}`;
  for (const [folder, hold] of [
    ['blobs/sha256', 'containerd'],
    ['shoal/cache', 'cache'],
  ] as const) {
    const shown = new Set([...store.list(hold)].map((stat) => hexOf(stat.digest)));
    for (const name of readdirSync(join(root, folder))) if (!shown.has(name)) yield `unknown ${folder}/${name}`;
  }
  const claims = new Set([...store.claims()].map((claim) => hexOf(claim.digest)));
  for (const name of readdirSync(join(root, 'shoal/claims'))) if (!claims.has(name)) yield `unknown claim ${name}`;
  const counts = [
    ['shoal/pins', [...store.pins()].length],
    ['shoal/partial', [...store.partials()].length],
  ] as const;
  for (const [folder, count] of counts) {
    if (readdirSync(join(root, folder)).length !== count) yield `${folder} has leftovers`;
  }
}

async function ingests(store: Store, ledger: Ledger, root: string): Promise<string[]> {
  const wrong: string[] = [];
  const statuses = new Map((await store.ingestStatuses()).map((status) => [status.ref, status]));
  if (readdirSync(join(root, 'ingest')).length !== statuses.size) wrong.push('ingest has leftovers');
  for (const [ref, promised] of ledger.ingests) {
    if (statuses.get(ref)?.offset !== promised.offset) wrong.push(`ingest ${ref} is not at ${promised.offset}`);
  }
  for (const status of statuses.values()) {
    const [id = '', size = '0'] = status.ref.split(' ');
    const data = readFileSync(join(root, 'ingest', hexOf(digestOf(status.ref)), 'data'));
    if (data.length !== status.offset) wrong.push(`ingest ${status.ref} says ${status.offset}, has ${data.length}`);
    const isPrefix = bytesOf(id, Number(size)).subarray(0, data.length).equals(data);
    if (!isPrefix) wrong.push(`ingest ${status.ref} has wrong bytes`);
  }
  return wrong;
}

async function partials(store: Store, ledger: Ledger, root: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const [key, promised] of ledger.partials) {
    const [id = ''] = key.split('/');
    const { bytes, digest } = blobOf(id, promised.size);
    const known = [...store.partials()].find((one) => one.digest === digest);
    const isBlob = store.stat(digest) !== undefined;
    // Downloads that nobody claimed may be evicted; they are promised only not to be wrong.
    if (isBlob || known === undefined) continue;
    if (known.bytesPresent !== promised.bytes) wrong.push(`download ${key} has not ${promised.bytes} bytes`);
    if (!existsSync(join(root, 'shoal/partial', hexOf(digest), 'data'))) continue;
    const download = await store.openPartial(digest, promised.size);
    const gap = download.missing(0);
    const into = Buffer.alloc(gap?.start ?? promised.size);
    await download.read(into, 0);
    if (!bytes.subarray(0, into.length).equals(into)) wrong.push(`download ${key} has wrong bytes`);
    await download.close();
  }
  return wrong;
}
