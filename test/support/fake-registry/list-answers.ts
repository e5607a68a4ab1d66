/** The lists of a fake registry: tags by pages and referrers (OCI distribution-spec, "Content discovery"). */
import type { ImageAnswer, ServableImage } from '../../../cli/demo/image-server.ts';

interface Listed {
  tags: Set<string>;
  manifests: Map<string, Buffer>;
}

export class ListAnswers {
  readonly #repositories = new Map<string, Listed>();

  put(repository: string, image: ServableImage, tags: readonly string[]): void {
    const listed = this.#repositories.get(repository) ?? { tags: new Set(), manifests: new Map() };
    for (const tag of tags) listed.tags.add(tag);
    for (const [digest, { bytes }] of image.manifests) listed.manifests.set(digest, bytes);
    this.#repositories.set(repository, listed);
  }

  /** Undefined for what is no list of a repository that is here. */
  answer({ path, query }: { path: string; query: string }): ImageAnswer | undefined {
    const [, name = '', tags, subject] = /^\/v2\/(.+)\/(?:(tags\/list)|referrers\/([^/]+))$/.exec(path) ?? [];
    const listed = this.#repositories.get(name);
    if (listed === undefined) return undefined;
    const parameters = new URLSearchParams(query);
    if (tags !== undefined) return tagAnswer(name, [...listed.tags], parameters);
    return subject === undefined ? undefined : referrerAnswer(listed, subject, parameters.get('artifactType'));
  }
}

function tagAnswer(name: string, all: readonly string[], parameters: URLSearchParams): ImageAnswer {
  const last = parameters.get('last') ?? '';
  const rest = all.toSorted().filter((tag) => tag > last);
  const count = parameters.has('n') ? Number(parameters.get('n')) : rest.length;
  const tags = rest.slice(0, count);
  const next = `</v2/${name}/tags/list?last=${tags.at(-1)}&n=${count}>; rel="next"`;
  return json({ name, tags }, 'application/json', rest.length > count && count > 0 ? { link: next } : {});
}

function referrerAnswer(listed: Listed, subject: string, artifactType: string | null): ImageAnswer {
  const found = [...listed.manifests].flatMap(([digest, bytes]) => {
    const manifest = JSON.parse(bytes.toString('utf8'));
    if (manifest.subject?.digest !== subject) return [];
    const type = manifest.artifactType ?? manifest.config?.mediaType;
    return [{ mediaType: manifest.mediaType, digest, size: bytes.length, artifactType: type }];
  });
  const manifests = found.filter((entry) => artifactType === null || entry.artifactType === artifactType);
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const applied = artifactType === null ? {} : { 'oci-filters-applied': 'artifactType' };
  return json({ schemaVersion: 2, mediaType, manifests }, mediaType, applied);
}

function json(value: unknown, type: string, headers: Record<string, string>): ImageAnswer {
  const body = Buffer.from(JSON.stringify(value));
  return { status: 200, headers: { 'content-type': type, 'content-length': `${body.length}`, ...headers }, body };
}
