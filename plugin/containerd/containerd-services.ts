/** The calls of containerd's API that we make, from its own protos (`proto/containerd`, unchanged). */
import { fileURLToPath } from 'node:url';
import { type MethodDefinition, type PackageDefinition, loadSync } from '@grpc/proto-loader';

/** One call: its path on the wire and how its messages are written and read. */
export type ContainerdMethod = MethodDefinition<object, object>;

const PROTO_ROOT = fileURLToPath(new URL('../../proto/containerd/api', import.meta.url));
const PROTO_FILES = [
  'services/content/v1/content.proto',
  'services/images/v1/images.proto',
  'services/namespaces/v1/namespace.proto',
  'services/version/v1/version.proto',
];

/** Loaded once, when the first client is made. Sizes are numbers, exact up to 2^53. */
export function containerdMethods(): ContainerdMethods {
  loaded ??= pick(loadSync(PROTO_FILES, { includeDirs: [PROTO_ROOT], longs: Number, defaults: true }));
  return loaded;
}

export interface ContainerdMethods {
  readonly version: ContainerdMethod;
  readonly namespaces: ContainerdMethod;
  readonly contents: ContainerdMethod;
  readonly content: ContainerdMethod;
  readonly deleteContent: ContainerdMethod;
  readonly images: ContainerdMethod;
}

let loaded: ContainerdMethods | undefined;

function pick(definitions: PackageDefinition): ContainerdMethods {
  const method = (service: string, name: string): ContainerdMethod => {
    const definition = definitions[`containerd.services.${service}`];
    const found = definition === undefined || 'format' in definition ? undefined : definition[name];
    if (found === undefined) throw new Error(`containerd's protos have no call "${service}/${name}"`);
    return found;
  };
  return {
    version: method('version.v1.Version', 'Version'),
    namespaces: method('namespaces.v1.Namespaces', 'List'),
    contents: method('content.v1.Content', 'List'),
    content: method('content.v1.Content', 'Info'),
    deleteContent: method('content.v1.Content', 'Delete'),
    images: method('images.v1.Images', 'List'),
  };
}
