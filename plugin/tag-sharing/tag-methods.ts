/** The call about tags (`proto/shoal/peer/v1/tags.proto`), and its messages as typed values. */
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import { MAX_MANIFEST_BYTES } from '../../core/oci/manifest.ts';
import { isRepositoryName, isTag } from '../../core/oci/reference.ts';
import type { DatedTag, TagName } from '../mirror/mirror.ts';
import type { PeerMethod } from '../peer/peer.ts';
import { digestBytes, digestIn, numberIn, textIn } from '../providers/wire-fields.ts';

const PROTO = fileURLToPath(new URL('../../proto/shoal/peer/v1/tags.proto', import.meta.url));
/** Of a registry's name and of a media type; another member may send anything. */
const TEXT_CHARS_MAX = 300;

let loaded: PeerMethod | undefined;

/** Loaded once. */
export function lastTagMethod(): PeerMethod {
  loaded ??= load();
  return loaded;
}

function load(): PeerMethod {
  const service = loadSync(PROTO, { longs: Number, defaults: true, keepCase: true })['shoal.peer.v1.Tags'];
  const found = service === undefined || 'format' in service ? undefined : service.Last;
  if (found === undefined) throw new Error('tags.proto has no call "Last"');
  return found;
}

export function writeRequest(name: TagName, from: string): object {
  return { ...name, from };
}

/** Undefined for what is no tag's name. */
export function readRequest(request: object): TagName | undefined {
  const [registry, repository, tag] = [
    textIn(request, 'registry'),
    textIn(request, 'repository'),
    textIn(request, 'tag'),
  ];
  const isGood = registry !== '' && registry.length <= TEXT_CHARS_MAX && isRepositoryName(repository) && isTag(tag);
  return isGood ? { registry, repository, tag } : undefined;
}

export function writeReply(known: DatedTag | undefined): object {
  if (known === undefined) return {};
  const { descriptor, ageMs } = known;
  const { digest, mediaType, size } = descriptor;
  return { digest: digestBytes(digest), media_type: mediaType, size, age_ms: Math.max(0, Math.round(ageMs)) };
}

/** Undefined when the member knows nothing, or says what no manifest can be. */
export function readReply(reply: object): DatedTag | undefined {
  const digest = digestIn(reply, 'digest');
  const [mediaType, size] = [textIn(reply, 'media_type'), numberIn(reply, 'size')];
  const isGood = mediaType !== '' && mediaType.length <= TEXT_CHARS_MAX && size > 0 && size <= MAX_MANIFEST_BYTES;
  return digest !== undefined && isGood
    ? { descriptor: { digest, mediaType, size }, ageMs: numberIn(reply, 'age_ms') }
    : undefined;
}
