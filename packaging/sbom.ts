/** What is in the packages, in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). Pure; the same input gives the same bytes. */
import { createHash } from 'node:crypto';
import type { BundledPackage } from './bundled-packages.ts';
import { NODE_INTEGRITY, NODE_VERSION, nodePackage } from './node-runtime.ts';
import { ARCHITECTURES, type Release } from './release.ts';

interface Component {
  readonly type: 'application' | 'library' | 'platform';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly group?: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses?: readonly unknown[];
  readonly hashes?: readonly { alg: 'SHA-512'; content: string }[];
}

/** One document for all packages of a release: they differ in the runtime alone, and both are in it. */
export function sbom(packages: readonly BundledPackage[], release: Release): string {
  const components = [...packages.map(libraryOf), ...runtimes()];
  const application: Component = {
    type: 'application',
    'bom-ref': `pkg:generic/shoal@${release.version}`,
    name: 'shoal',
    version: release.version,
    purl: `pkg:generic/shoal@${release.version}`,
    licenses: [{ license: { id: 'Apache-2.0' } }],
  };
  const body = {
    metadata: { timestamp: new Date(release.epochSeconds * 1000).toISOString(), component: application },
    components,
    dependencies: [
      { ref: application['bom-ref'], dependsOn: components.map((component) => component['bom-ref']) },
      ...components.map((component) => ({ ref: component['bom-ref'] })),
    ],
  };
  const head = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(body))}`,
    version: 1,
  };
  return `${JSON.stringify({ ...head, ...body }, undefined, 2)}\n`;
}

function libraryOf({ name, version, license, integrity }: BundledPackage): Component {
  const [group, short] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group === undefined ? {} : { group }),
    name: short ?? name,
    version,
    purl,
    ...(license === undefined ? {} : { licenses: [licenseOf(license)] }),
    ...(integrity === undefined ? {} : { hashes: [hashOf(integrity)] }),
  };
}

function licenseOf(license: string): unknown {
  return /\s|\(/.test(license) ? { expression: license } : { license: { id: license } };
}

function runtimes(): Component[] {
  return ARCHITECTURES.map((architecture) => {
    const name = nodePackage(architecture);
    const purl = `pkg:npm/${name}@${NODE_VERSION}`;
    return {
      type: 'platform',
      'bom-ref': purl,
      name,
      version: NODE_VERSION,
      purl,
      licenses: [{ license: { id: 'MIT' } }],
      hashes: [hashOf(NODE_INTEGRITY[architecture.node])],
    };
  });
}

/** From Subresource Integrity (base64) to what CycloneDX wants (hex). */
function hashOf(integrity: string): { alg: 'SHA-512'; content: string } {
  return { alg: 'SHA-512', content: Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex') };
}

/** A name-based UUID (version 8, RFC 9562) of a text. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
