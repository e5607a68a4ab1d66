import { spawnSync } from 'node:child_process';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readTar } from './tar-reader.ts';
import { type TarFile, writeTar } from './tar-writer.ts';
import { unpacked } from './unpacked.ts';

async function* inParts(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

async function entriesOf(archive: Uint8Array, partBytes = 700) {
  const found: { name: string; kind: string; target: string; offset: number; text: string }[] = [];
  for await (const entry of readTar(unpacked(inParts(archive, partBytes)))) {
    const { name, kind, target, offset } = entry;
    found.push({ name, kind, target, offset, text: (await all(entry.bytes())).toString() });
  }
  return found;
}

function file(name: string, text: string): TarFile {
  const bytes = Buffer.from(text);
  return { name, size: bytes.length, content: [bytes] };
}

const TWO = () => all(writeTar([file('a', 'x'.repeat(1000)), file('b/c', 'y')]));

describe('readTar()', () => {
  it('reads what writeTar() wrote, in any portions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ name: fc.stringMatching(/^[a-z]{1,90}$/), text: fc.string({ maxLength: 3000 }) }), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.integer({ min: 1, max: 2000 }),
        async (files, partBytes) => {
          const archive = await all(writeTar(files.map(({ name, text }) => file(name, text))));
          const found = await entriesOf(archive, partBytes);
          expect(found.map(({ name, text }) => ({ name, text }))).toEqual(files);
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each(['gnu', 'pax', 'ustar'])('reads what tar writes as %s: long names, links, folders', (format) => {
    const long = format === 'ustar' ? `${'d'.repeat(60)}/${'f'.repeat(60)}` : `${'d'.repeat(120)}/${'f'.repeat(120)}`;
    const script = `cd $(mktemp -d) && mkdir -p ${long.split('/')[0]} && printf long > ${long} && ln -s ../a/layer.tar link && printf 1 > one && ln one two && tar --format=${format} -c . ; rm -r "$PWD"`;
    const { stdout, status } = spawnSync('sh', ['-c', script], { maxBuffer: 1 << 24 });
    expect(status).toBe(0);
    return entriesOf(stdout).then((found) => {
      expect(found).toContainEqual(expect.objectContaining({ name: long, kind: 'file', text: 'long' }));
      expect(found).toContainEqual(expect.objectContaining({ name: 'link', kind: 'link', target: '../a/layer.tar' }));
      expect(
        found
          .map(({ name, kind }) => `${kind} ${name}`)
          .filter((line) => /one|two/.test(line))
          .sort(),
      ).toEqual(['file one', 'link two']);
    });
  });

  it('unpacks gzip and zstd, and takes them plain', async () => {
    const archive = await TWO();
    const plain = await entriesOf(archive);
    expect(plain.map(({ name, offset }) => [name, offset])).toEqual([
      ['a', 0],
      ['b/c', 1536],
    ]);
    expect(await entriesOf(gzipSync(archive))).toEqual(plain);
    expect(await entriesOf(zstdCompressSync(archive))).toEqual(plain);
  });

  it('names the entry and its offset when the archive is cut off', async () => {
    const archive = await TWO();
    await expect(entriesOf(archive.subarray(0, 900))).rejects.toMatchObject({
      code: 'DATA_LOSS',
      message: 'Archive ends inside "a" (entry at offset 0): 388 of 1000 bytes',
    });
    await expect(entriesOf(archive.subarray(0, 1600))).rejects.toThrow(
      'Archive ends behind "a" (entry at offset 0) after 1600 bytes',
    );
    await expect(entriesOf(gzipSync(archive).subarray(0, 60))).rejects.toMatchObject({ code: 'DATA_LOSS' });
    await expect(entriesOf(zstdCompressSync(archive).subarray(0, 30))).rejects.toMatchObject({ code: 'DATA_LOSS' });
  });

  it('refuses what is no archive, and one whose header is broken', async () => {
    await expect(entriesOf(Buffer.from('hello'.repeat(300)))).rejects.toThrow('No tar archive');
    await expect(entriesOf(Buffer.alloc(0))).rejects.toThrow('Archive is empty');
    const archive = await TWO();
    archive[1540] = 0x7a;
    await expect(entriesOf(archive)).rejects.toThrow(
      'Archive is broken behind "a" (entry at offset 0): Invalid tar header',
    );
  });

  it('goes on behind entries that nobody reads', async () => {
    const names: string[] = [];
    for await (const { name } of readTar(inParts(await TWO(), 100))) names.push(name);
    expect(names).toEqual(['a', 'b/c']);
  });
});

describe('writeTar()', () => {
  it('writes what tar reads', async () => {
    const run = spawnSync('tar', ['-tvf', '-'], { input: await TWO(), encoding: 'utf8' });
    expect([run.status, run.stderr]).toEqual([0, '']);
    expect(run.stdout).toMatch(/1000 .* a\n.* 1 .* b\/c\n/);
  });

  it('fails when a content is not of its size', async () => {
    await expect(all(writeTar([{ name: 'a', size: 2, content: [Buffer.from('x')] }]))).rejects.toThrow(
      '"a" has 1 bytes, 2 were told',
    );
  });
});
