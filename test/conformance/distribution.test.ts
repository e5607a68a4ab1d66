/**
 * The OCI distribution specification's own conformance program (github.com/opencontainers/distribution-spec, conformance/,
 * `go build`) against the mirror, read-only. Where it is comes by SHOAL_OCI_CONFORMANCE; without it one line says so.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { storedManifest } from '../../cli/demo/image-server.ts';
import { digestOf } from '../../core/oci/digest.ts';
import { OCI_EMPTY, OCI_MANIFEST } from '../../core/oci/media-types.ts';
import { mirrorSetup } from '../support/mirror/mirror-setup.ts';

const TIMEOUT_MS = 120_000;
const PASSED = [
  ...['Ping', 'Tag listing', 'Referrers', 'Blob get', 'Blob head'],
  ...['Manifest get by digest', 'Manifest get by tag', 'Manifest head by digest', 'Manifest head by tag'],
  ...['Invalid Manifest Digest', 'Read Only Inputs'],
];
const program = process.env.SHOAL_OCI_CONFORMANCE ?? '';
const isThere = existsSync(program);
if (!isThere) {
  process.stderr.write(
    'The OCI conformance program is not run: SHOAL_OCI_CONFORMANCE does not name it (go build it)\n',
  );
}

describe('the OCI distribution conformance program', () => {
  (isThere ? it : it.skip)(
    'passes what a registry that is pulled from can pass',
    async () => {
      await using setup = await mirrorSetup({ image: { layerCount: 2 } });
      const { registry, image, url } = setup;
      const empty = { mediaType: OCI_EMPTY, digest: digestOf('{}'), size: 2 };
      const { digest, stored } = storedManifest(OCI_MANIFEST, {
        ...{ schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: 'application/x.sbom', config: empty },
        ...{ layers: [empty], subject: image.target },
      });
      const blobs = new Map([...image.blobs, [empty.digest, Buffer.from('{}')] as const]);
      registry.put('team/app', { ...image, digest, blobs, manifests: new Map([[digest, stored]]) }, 'sbom');
      const results = await mkdtemp(join(tmpdir(), 'shoal-oci-'));
      try {
        const suite = spawn(program, {
          cwd: results,
          env: {
            ...{ OCI_REGISTRY: new URL(url).host, OCI_TLS: 'disabled', OCI_REPO1: 'team/app', OCI_REPO2: 'team/app' },
            ...{ OCI_RESULTS_DIR: results, OCI_API_PUSH: 'false', OCI_API_BLOBS_DIGEST_HEADER: 'true' },
            ...{ OCI_API_BLOBS_DELETE: 'false', OCI_API_MANIFESTS_DELETE: 'false', OCI_API_TAGS_DELETE: 'false' },
            ...{ OCI_RO_DATA_TAGS: 'latest sbom' },
            OCI_RO_DATA_MANIFESTS: [image.digest, digest].join(' '),
            OCI_RO_DATA_BLOBS: [...blobs.keys()].join(' '),
            OCI_RO_DATA_REFERRERS: image.digest,
          },
          timeout: TIMEOUT_MS,
        });
        const [output, errors] = await Promise.all([text(suite.stdout), text(suite.stderr), once(suite, 'close')]);
        // The program's own reports of read-only runs end in a panic of theirs; the summary comes before.
        expect(`${output}${errors}`).toMatch(/^ *FAIL\.+: +0$/m);
        expect(output).toMatch(/^ *Error\.+: +0$/m);
        for (const name of PASSED) expect(output).toMatch(new RegExp(`^ *${name}\\.+: +Pass$`, 'm'));
      } finally {
        await rm(results, { recursive: true, force: true });
      }
    },
    TIMEOUT_MS,
  );
});
