/** containerd's records in memory: namespaces with contents and images, and a socket that can go away. */
import type { Digest } from '../../../../core/oci/digest.ts';
import { CodedError } from '../../../../core/runtime/errors.ts';
import type { Containerd, ContainerdContent, ContainerdImage } from '../../../containerd/containerd.ts';

export class FakeContainerd implements Containerd {
  readonly records = new Map<string, Map<Digest, ContainerdContent>>([['k8s.io', new Map()]]);
  readonly names = new Map<string, ContainerdImage[]>();
  readonly deletions: { namespace: string; digest: Digest }[] = [];
  /** Calls by name. */
  readonly calls: string[] = [];
  /** Runs before a call answers; may throw. */
  onCall: (call: string) => void | Promise<void> = () => undefined;
  readonly #listeners = new Set<() => void>();
  #isReachable = true;

  record(namespace: string, digest: Digest, size: number, labels: Readonly<Record<string, string>> = {}): void {
    const records = this.records.get(namespace) ?? new Map<Digest, ContainerdContent>();
    this.records.set(namespace, records.set(digest, { digest, size, labels: new Map(Object.entries(labels)) }));
  }

  isListed(digest: Digest): boolean {
    return [...this.records.values()].some((records) => records.has(digest));
  }

  goAway(): void {
    this.#isReachable = false;
  }

  comeBack(): void {
    this.#isReachable = true;
    for (const listener of [...this.#listeners]) listener();
  }

  isReachable(): boolean {
    return this.#isReachable;
  }

  onConnect(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async namespaces(): Promise<string[]> {
    await this.#call('namespaces');
    return [...this.records.keys()];
  }

  async contents(namespace: string): Promise<ContainerdContent[]> {
    const contents = [...(this.records.get(namespace)?.values() ?? [])];
    await this.#call('contents');
    return contents;
  }

  async content(namespace: string, digest: Digest): Promise<ContainerdContent | undefined> {
    await this.#call('content');
    return this.records.get(namespace)?.get(digest);
  }

  async deleteContent(namespace: string, digest: Digest): Promise<void> {
    await this.#call('deleteContent');
    this.deletions.push({ namespace, digest });
    this.records.get(namespace)?.delete(digest);
  }

  async images(namespace: string): Promise<ContainerdImage[]> {
    await this.#call('images');
    return this.names.get(namespace) ?? [];
  }

  async #call(name: string): Promise<void> {
    this.calls.push(name);
    if (!this.#isReachable) throw new CodedError('UNAVAILABLE', 'containerd is away');
    await this.onCall(name);
  }
}
