/** A client of containerd's content service for tests: grpc-js with proto-loader's own messages, none of our codecs. */
import { type CallOptions, Client, type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js';
import { CodedError, ERROR_CODES, type ErrorCode } from '../../core/runtime/errors.ts';
import { loadPlainMethods, type Method } from '../../plugin/content-api/content-methods.ts';
import type { ReadResponse, WriteRequest, WriteResponse } from '../../plugin/content-api/content-messages.ts';
import { grpcStatusOf } from '../../plugin/content-api/grpc-status.ts';

const BY_NUMBER = new Map<number, ErrorCode>(
  ERROR_CODES.map((code) => [grpcStatusOf(new CodedError(code, '')).code, code]),
);

/** A call's failure in our own kinds, with the server's message. */
export function codedError(error: ServiceError): CodedError {
  return new CodedError(BY_NUMBER.get(error.code) ?? 'INTERNAL', error.details, { cause: error });
}

const OPTIONS = {
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  'grpc.max_send_message_length': 64 * 1024 * 1024,
};

export class ContentClient {
  readonly methods = loadPlainMethods();
  readonly #client: Client;

  constructor(socket: string) {
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure(), OPTIONS);
  }

  close(): void {
    this.#client.close();
  }

  unary<Request, Response>(method: Method<Request, Response>, request: Request): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = method;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) => {
        if (error !== null) reject(codedError(error));
        else if (response === undefined) reject(new CodedError('INTERNAL', 'No answer'));
        else resolve(response);
      });
    });
  }

  async *stream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): AsyncGenerator<Response> {
    const { path, requestSerialize, responseDeserialize } = method;
    const call = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, options);
    try {
      for await (const response of call) yield response;
    } catch (error) {
      throw codedError(error as ServiceError);
    } finally {
      call.cancel();
    }
  }

  async read(digest: string, offset: number, size: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    const answers: AsyncIterable<ReadResponse> = this.stream(this.methods.read, { digest, offset, size });
    for await (const { data } of answers) parts.push(data);
    return Buffer.concat(parts);
  }

  write(): WriteStream {
    const { path, requestSerialize, responseDeserialize } = this.methods.write;
    return new WriteStream(this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize));
  }
}

const EMPTY: Omit<WriteRequest, 'labels'> = {
  action: 0,
  ref: '',
  total: 0,
  expected: '',
  offset: 0,
  data: Buffer.alloc(0),
};

/** What a Write message may hold; labels as a record, which is how proto-loader takes them. */
export type WriteFields = Partial<Omit<WriteRequest, 'labels'>> & { labels?: Readonly<Record<string, string>> };

/** One Write stream, a request and an answer at a time. */
export class WriteStream {
  readonly #call: ClientDuplexStream<WriteRequest, WriteResponse>;
  #answered: { resolve(response: WriteResponse): void; reject(error: unknown): void } | undefined;
  #failure: unknown;
  readonly #over: Promise<void>;

  constructor(call: ClientDuplexStream<WriteRequest, WriteResponse>) {
    this.#call = call;
    call.on('data', (response: WriteResponse) => this.#answered?.resolve(response));
    this.#over = new Promise((resolve) => {
      const over = (error: unknown) => {
        this.#failure ??= error;
        this.#answered?.reject(this.#failure);
        resolve();
      };
      call.on('error', (error: ServiceError) => over(codedError(error)));
      call.on('end', () => over(new CodedError('CANCELLED', 'The stream ended')));
    });
  }

  async send(fields: WriteFields): Promise<WriteResponse> {
    if (this.#failure !== undefined) throw this.#failure;
    const answer = new Promise<WriteResponse>((resolve, reject) => {
      this.#answered = { resolve, reject };
    });
    this.#call.write({ ...EMPTY, ...fields } as unknown as WriteRequest);
    return answer;
  }

  /** Ends well and waits until the server has ended too. */
  async close(): Promise<void> {
    this.#call.end();
    await this.#over;
  }

  /** As a client that vanishes. */
  cancel(): void {
    this.#call.cancel();
  }
}
