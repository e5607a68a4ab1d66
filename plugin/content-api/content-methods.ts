/**
 * The nine calls of `containerd.services.content.v1.Content` on the wire: path, kind, and how messages are read and written.
 * Hot calls have a codec by hand, the rest proto-loader's from containerd's own proto (`proto/containerd`, unchanged).
 */
import { fileURLToPath } from 'node:url';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import {
  decodeDigestRequest,
  decodeReadRequest,
  decodeWriteRequest,
  encodeInfoResponse,
  encodeReadResponse,
  encodeWriteResponse,
} from './codec.ts';
import type {
  DigestRequest,
  Empty,
  FilterRequest,
  InfoRequest,
  InfoResponse,
  ListContentResponse,
  ListStatusesResponse,
  ReadRequest,
  ReadResponse,
  RefRequest,
  StatusResponse,
  UpdateRequest,
  WriteRequest,
  WriteResponse,
} from './content-messages.ts';

/** One call; `Request` and `Response` are what its codec gives and takes. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  requestSerialize(request: Request): Buffer;
  requestDeserialize(bytes: Buffer): Request;
  responseSerialize(response: Response): Buffer;
  responseDeserialize(bytes: Buffer): Response;
}

export interface ContentMethods {
  readonly info: Method<InfoRequest, InfoResponse>;
  readonly update: Method<UpdateRequest, InfoResponse>;
  readonly list: Method<FilterRequest, ListContentResponse>;
  readonly delete: Method<DigestRequest, Empty>;
  readonly read: Method<ReadRequest, ReadResponse>;
  readonly status: Method<RefRequest, StatusResponse>;
  readonly listStatuses: Method<FilterRequest, ListStatusesResponse>;
  readonly write: Method<WriteRequest, WriteResponse>;
  readonly abort: Method<RefRequest, Empty>;
}

const PROTO_ROOT = fileURLToPath(new URL('../../proto/containerd/api', import.meta.url));
const PROTO_FILE = 'services/content/v1/content.proto';
const SERVICE = 'containerd.services.content.v1.Content';

/** Loads the proto and puts the hot calls' own codecs in. */
export function loadContentMethods(): ContentMethods {
  const loaded = loadPlainMethods();
  return {
    ...loaded,
    info: { ...loaded.info, requestDeserialize: decodeDigestRequest, responseSerialize: encodeInfoResponse },
    read: { ...loaded.read, requestDeserialize: decodeReadRequest, responseSerialize: encodeReadResponse },
    write: { ...loaded.write, requestDeserialize: decodeWriteRequest, responseSerialize: encodeWriteResponse },
  };
}

/** All nine as proto-loader makes them: what clients use, and what the codecs are compared with. */
export function loadPlainMethods(): ContentMethods {
  const definition = loadSync(PROTO_FILE, { includeDirs: [PROTO_ROOT], longs: Number, defaults: true })[SERVICE];
  if (definition === undefined || 'format' in definition)
    throw new Error(`"${PROTO_FILE}" has no service "${SERVICE}"`);
  // proto-loader knows no types; the messages of this table are those of the proto.
  const method = <Request, Response>(name: string) => {
    const found = definition[name];
    if (found === undefined) throw new Error(`"${SERVICE}" has no call "${name}"`);
    return found as MethodDefinition<object, object> as unknown as Method<Request, Response>;
  };
  return {
    info: method('Info'),
    update: method('Update'),
    list: method('List'),
    delete: method('Delete'),
    read: method('Read'),
    status: method('Status'),
    listStatuses: method('ListStatuses'),
    write: method('Write'),
    abort: method('Abort'),
  };
}
