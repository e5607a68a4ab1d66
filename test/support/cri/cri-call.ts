/** One unary call to a CRI service: names and plain objects in, a plain object out, by the vendored api.proto. */
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import { type MethodDefinition, loadSync } from '@grpc/proto-loader';

const PROTO_FILE = resolve(dirname(fileURLToPath(import.meta.url)), '../../../proto/cri/v1/api.proto');

const definitions = loadSync(PROTO_FILE, { keepCase: true, longs: Number, enums: String, defaults: true });

export interface CriCall {
  service: 'ImageService' | 'RuntimeService';
  method: string;
  /** In the proto's own field names. */
  message: object;
  deadlineMs: number;
}

/** A client of the unix socket at this path; connects at the first call. Close it. */
export function openCri(socket: string): Client {
  return new Client(`unix:${socket}`, credentials.createInsecure());
}

/** @throws ServiceError of grpc-js when the call fails, Error when the proto has no such method */
export function criCall(client: Client, call: CriCall): Promise<object> {
  const { path, requestSerialize, responseDeserialize } = methodOf(call);
  return new Promise((resolveCall, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      call.message,
      { deadline: Date.now() + call.deadlineMs },
      (error, answer) => (error ? reject(error) : resolveCall(answer ?? {})),
    );
  });
}

function methodOf(call: CriCall): MethodDefinition<object, object> {
  const service = definitions[`runtime.v1.${call.service}`];
  const method: unknown = service && Reflect.get(service, call.method);
  if (isMethod(method)) return method;
  throw new Error(`CRI has no method "${call.service}/${call.method}"`);
}

function isMethod(value: unknown): value is MethodDefinition<object, object> {
  return typeof value === 'object' && value !== null && 'requestSerialize' in value;
}
