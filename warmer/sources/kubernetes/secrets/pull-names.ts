/** Which service accounts and pull secrets the pods of objects name. Pure. */
import { isRecord, listField, type PlainRecord, textField } from '../../extract/values.ts';

/** Names of one cluster; beyond it secrets are not asked for. */
const NAMES_MAX = 20_000;
/** Pod templates are some ten levels deep. */
const DEPTH_MAX = 40;
const SECRET_LISTS = ['imagePullSecrets', 'pullSecrets'];

export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

export class PullNames {
  readonly #accounts = new Map<string, NamespacedName>();
  readonly #secrets = new Map<string, NamespacedName>();

  get accounts(): Iterable<NamespacedName> {
    return this.#accounts.values();
  }

  get secrets(): Iterable<NamespacedName> {
    return this.#secrets.values();
  }

  /** Whatever has containers, or says with whose secrets they are pulled. Things without a namespace have no secrets. */
  takeObject(object: unknown): void {
    const namespace = textField(object, 'metadata', 'namespace');
    if (namespace !== undefined && isRecord(object)) this.#take(object.spec ?? object, namespace, 0);
    if (namespace !== undefined && isRecord(object) && 'template' in object) this.#take(object.template, namespace, 0);
  }

  takeSecret(namespace: string, name: string): void {
    put(this.#secrets, { namespace, name });
  }

  #take(value: unknown, namespace: string, depth: number): void {
    if (depth > DEPTH_MAX || typeof value !== 'object' || value === null) return;
    if (isRecord(value)) this.#takeRecord(value, namespace);
    for (const child of Object.values(value)) this.#take(child, namespace, depth + 1);
  }

  #takeRecord(record: PlainRecord, namespace: string): void {
    for (const list of SECRET_LISTS) {
      for (const entry of listField(record, list)) {
        const name = typeof entry === 'string' ? entry : textField(entry, 'name');
        if (name !== undefined) this.takeSecret(namespace, name);
      }
    }
    const account = textField(record, 'serviceAccountName') ?? textField(record, 'serviceAccount');
    if (account !== undefined) put(this.#accounts, { namespace, name: account });
    else if (Array.isArray(record.containers)) put(this.#accounts, { namespace, name: 'default' });
  }
}

function put(names: Map<string, NamespacedName>, name: NamespacedName): void {
  if (names.size < NAMES_MAX) names.set(`${name.namespace}/${name.name}`, name);
}
