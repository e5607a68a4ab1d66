/** The images that workloads and events name, with who pulls them. Pure. */
import type { Platform } from '../../core/oci/descriptor.ts';
import type { PullIdentity, WantedImage } from '../images/images.ts';
import type { ImageUse, Workload } from '../sources/workload.ts';
import type { Survey } from './survey.ts';

type Named = Pick<Survey, 'workloads' | 'events'>;

/** Each once, those of workloads first. */
export function referencesOf({ workloads, events }: Named): Set<string> {
  const references = new Set<string>();
  for (const { images } of workloads) for (const { reference } of images) references.add(reference);
  for (const { images } of events) for (const reference of images) references.add(reference);
  return references;
}

/** @param platforms by reference; what is not in it is wanted for every platform that it has */
export function wantedImages(survey: Named, platforms: ReadonlyMap<string, readonly Platform[]>): WantedImage[] {
  const gathered = new Map<string, { uses: ImageUse[]; identities: Map<string, PullIdentity> }>();
  for (const reference of referencesOf(survey)) gathered.set(reference, { uses: [], identities: new Map() });
  for (const workload of survey.workloads) {
    for (const use of workload.images) {
      const one = gathered.get(use.reference);
      one?.uses.push(use);
      addIdentity(one?.identities, workload);
    }
  }
  // A tag that only an event names is pulled by what the event scales.
  for (const { images, targets } of survey.events) {
    for (const reference of images) {
      const one = gathered.get(reference);
      if (one?.uses.length === 0) for (const target of targets) addIdentity(one.identities, target);
    }
  }
  return [...gathered].map(([reference, { uses, identities }]) => ({
    reference,
    platforms: platforms.get(reference) ?? [],
    uses,
    identities: [...identities.values()],
  }));
}

function addIdentity(identities: Map<string, PullIdentity> | undefined, { namespace, pod }: Workload): void {
  const { imagePullSecrets, serviceAccountName } = pod;
  const key = JSON.stringify([namespace, serviceAccountName, imagePullSecrets]);
  identities?.set(key, { namespace, imagePullSecrets, serviceAccountName });
}
