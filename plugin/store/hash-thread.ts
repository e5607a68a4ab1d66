/**
 * The thread that hashes large downloads, one for the whole process as its thread pool is: hashing costs two thirds of a second a
 * GiB, in which nothing else of this node would be answered. It reads the files itself, while the kernel has them in
 * memory, so no buffer has to outlive its writer. It starts when there is work and ends when no hash was open for a while:
 * a download may stand still for longer than that, and its hash lives in here.
 */
import { Worker } from 'node:worker_threads';

/** Without an open hash for so long the thread ends, milliseconds: it takes up to 20 MB, and 50 ms to start. */
const IDLE_MS = 10_000;
/** Of its heap, MB: it holds one buffer and a hash for each download. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 };

/** Hash `id` goes on with the bytes of `fd` from `start` to `end`; it begins with `start` 0. */
export interface HashWork {
  readonly id: number;
  readonly fd: number;
  readonly start: number;
  readonly end: number;
  /** What becomes of the hash then: more will come, also when its digest is asked for now. */
  readonly then: 'go on' | 'digest' | 'forget';
}

/** One for each work, in order. */
interface Answer {
  /** Hexadecimal, empty when it was not asked for. */
  readonly digest: string;
  /** Empty when all went well; otherwise the hash is forgotten. */
  readonly failure: string;
}

interface Waiting {
  readonly id: number;
  readonly resolve: (digest: string) => void;
  readonly reject: (error: Error) => void;
}

export class HashThread {
  readonly #waiting: Waiting[] = [];
  /** Hashes that the thread keeps. */
  readonly #open = new Set<number>();
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;
  readonly #idleMs: number;

  constructor(idleMs = IDLE_MS) {
    this.#idleMs = idleMs;
  }

  freshId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Resolves with the digest, hexadecimal, or with nothing when it was not asked for. @throws Error when the file cannot be read so far */
  run(work: HashWork): Promise<string> {
    clearTimeout(this.#idle);
    if (work.then === 'forget') this.#open.delete(work.id);
    else this.#open.add(work.id);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id: work.id, resolve, reject });
      const worker = this.#running();
      worker.ref();
      worker.postMessage(work);
    });
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    // From its own text, so that the program can stay one file.
    const options = { eval: true, execArgv: [], name: 'hash', resourceLimits: RESOURCE_LIMITS };
    const worker = new Worker(`(${threadMain})()`, options);
    worker.on('message', (answer: Answer) => this.#answered(answer));
    worker.on('error', (error: Error) => this.#ended(worker, error));
    worker.on('exit', () => this.#ended(worker, new Error('the hashing thread has ended')));
    this.#worker = worker;
    return worker;
  }

  #answered({ digest, failure }: Answer): void {
    const first = this.#waiting.shift();
    if (failure === '') first?.resolve(digest);
    else if (first !== undefined) {
      this.#open.delete(first.id);
      first.reject(new Error(failure));
    }
    if (this.#waiting.length > 0) return;
    this.#worker?.unref();
    if (this.#open.size > 0) return;
    this.#idle = setTimeout(() => this.#end(), this.#idleMs).unref();
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.terminate().catch(() => undefined);
  }

  #ended(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#open.clear();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

/** The one of this process. */
export const hashThread = new HashThread();

/** Runs in the thread, from its text: it can use nothing of this file. */
async function threadMain(): Promise<void> {
  const { createHash } = await import('node:crypto');
  const { readSync } = await import('node:fs');
  const { parentPort } = await import('node:worker_threads');
  const buffer = Buffer.alloc(256 * 1024);
  const hashes = new Map<number, ReturnType<typeof createHash>>();
  const run = ({ id, fd, start, end, then }: HashWork): string => {
    const hash = start === 0 ? createHash('sha256') : hashes.get(id);
    hashes.delete(id);
    if (then === 'forget') return '';
    if (hash === undefined) throw new Error(`hash ${id} was never begun`);
    for (let at = start; at < end; ) {
      const count = readSync(fd, buffer, 0, Math.min(buffer.length, end - at), at);
      if (count === 0) throw new Error(`the file ends at ${at} bytes, ${end} were expected`);
      hash.update(count === buffer.length ? buffer : buffer.subarray(0, count));
      at += count;
    }
    hashes.set(id, hash);
    return then === 'digest' ? hash.copy().digest('hex') : '';
  };
  parentPort?.on('message', (work: HashWork) => {
    try {
      parentPort.postMessage({ digest: run(work), failure: '' });
    } catch (error) {
      parentPort.postMessage({ digest: '', failure: String(error) });
    }
  });
}
