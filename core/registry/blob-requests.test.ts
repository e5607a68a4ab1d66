import { describe, expect, it } from '@jest/globals';
import { quiet, registrySetup } from '../../test/support/fake-registry/registry-setup.ts';
import { digestOf } from '../oci/digest.ts';

describe('hasBlob()', () => {
  it('asks by HEAD, also behind a redirect', async () => {
    await using setup = await registrySetup();
    const { client, repository, layer, registry } = setup;
    const has = () => client.hasBlob(repository, layer.digest, { signal: quiet });
    await expect(has()).resolves.toEqual({ size: layer.size });
    registry.faults = { redirectBlobs: 'other-host' };
    await expect(has()).resolves.toEqual({ size: layer.size });
    expect(registry.log.blobBytes()).toBe(0);
    await expect(client.hasBlob(repository, digestOf('absent'), { signal: quiet })).resolves.toBeUndefined();
  });

  it.each([
    [{ refuseHead: 405 }, 1],
    [{ redirectBlobs: 'other-host', storageRefusesHead: true } as const, 1],
  ])('asks for one byte when HEAD is refused (%j)', async (faults, bytes) => {
    await using setup = await registrySetup();
    setup.registry.faults = faults;
    const found = setup.client.hasBlob(setup.repository, setup.layer.digest, { signal: quiet });
    await expect(found).resolves.toEqual({ size: setup.layer.size });
    expect(setup.registry.log.entries.filter(({ status }) => status < 300).map((entry) => entry.bytes)).toEqual([
      bytes,
    ]);
    expect(setup.slept).toEqual([]);
  });

  it('finds the size also when HEAD is refused and Range ignored, without reading all', async () => {
    await using setup = await registrySetup({ image: { layerSizeBytes: 12_000_000 } });
    setup.registry.faults = { refuseHead: 405, ignoreRange: true };
    const found = setup.client.hasBlob(setup.repository, setup.layer.digest, { signal: quiet });
    await expect(found).resolves.toEqual({ size: setup.layer.size });
    expect(setup.registry.log.blobBytes()).toBeLessThan(10_000_000);
  });
});

describe('blob()', () => {
  it('gives the whole blob without a Range, and any part of it with one', async () => {
    await using setup = await registrySetup();
    const { layerBytes, registry, download } = setup;
    expect(digestOf(await download())).toBe(digestOf(layerBytes));
    expect(digestOf(await download({ offset: 1000 }))).toBe(digestOf(layerBytes.subarray(1000)));
    expect(digestOf(await download({ offset: 1000, end: 2000 }))).toBe(digestOf(layerBytes.subarray(1000, 2000)));
    expect(digestOf(await download({ end: 1 }))).toBe(digestOf(layerBytes.subarray(0, 1)));
    expect(registry.log.entries.map(({ range }) => range)).toEqual([
      undefined,
      `bytes=1000-${layerBytes.length - 1}`,
      'bytes=1000-1999',
      'bytes=0-0',
    ]);
    expect(new Set(registry.log.entries.map(({ connection }) => connection)).size).toBe(1);
  });

  it('asks nothing for an empty part, and refuses one outside of the blob', async () => {
    await using setup = await registrySetup();
    expect(await setup.download({ offset: 5, end: 5 })).toHaveLength(0);
    for (const range of [
      { offset: 9, end: 5 },
      { end: setup.layer.size + 1 },
      { offset: -1 },
      { offset: Number.NaN },
    ]) {
      await expect(setup.download(range)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    }
    expect(setup.registry.log.entries).toEqual([]);
  });

  it('resumes where a broken connection ended', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { truncate: { afterBytes: 100_000, times: 2 } };
    expect(digestOf(await setup.download())).toBe(digestOf(setup.layerBytes));
    expect(setup.registry.log.entries.map(({ range }) => range)).toEqual([
      undefined,
      `bytes=100000-${setup.layer.size - 1}`,
      `bytes=200000-${setup.layer.size - 1}`,
    ]);
    expect(setup.slept).toEqual([125, 125]);
    expect(setup.registry.log.blobBytes()).toBe(setup.layer.size);
  });

  it('skips what it has when the server ignores Range', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { ignoreRange: true, truncate: { afterBytes: 100_000, times: 1 } };
    expect(digestOf(await setup.download())).toBe(digestOf(setup.layerBytes));
    expect(await setup.download({ offset: 150_000, end: 150_010 })).toEqual(
      setup.layerBytes.subarray(150_000, 150_010),
    );
  });

  it('gives up after its attempts without progress, and sooner when told', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { truncate: { afterBytes: 0, times: 1000 } };
    await expect(setup.download()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(setup.registry.log.entries).toHaveLength(4);
    setup.registry.log.clear();
    const once = setup.client.blob(setup.repository, setup.layer, { signal: quiet, attemptsMax: 1 });
    await expect(Array.fromAsync(once)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(setup.registry.log.entries).toHaveLength(1);
  });

  it('does not follow a server for ever that sends a little each time', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { truncate: { afterBytes: 1, times: 1000 } };
    await expect(setup.download()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(setup.registry.log.entries).toHaveLength(32);
  });

  it.each([
    ['a longer body', { extraBytes: 1 }, 'DATA_LOSS'],
    ['a longer length', { sizeLie: 1 }, 'DATA_LOSS'],
    ['a shorter body', { extraBytes: -1 }, 'UNAVAILABLE'],
    ['a shorter length', { sizeLie: -1 }, 'UNAVAILABLE'],
    ['an encoded body', { headers: { 'content-encoding': 'gzip' } }, 'DATA_LOSS'],
    ['a longer part', { sizeLie: 1 }, 'DATA_LOSS', 1000],
    ['too much of a part', { extraBytes: 1 }, 'DATA_LOSS', 1000],
  ])('refuses %s', async (_, faults, code, offset = 0) => {
    await using setup = await registrySetup();
    setup.registry.faults = faults;
    await expect(setup.download({ offset, end: setup.layer.size })).rejects.toMatchObject({ code });
  });

  it('resumes after a stall', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { stallAfterBytes: 50_000 };
    const download = setup.download();
    setTimeout(() => {
      setup.registry.faults = {};
    }, 150);
    expect(digestOf(await download)).toBe(digestOf(setup.layerBytes));
    expect(setup.registry.log.entries.map(({ range }) => range)).toEqual([
      undefined,
      `bytes=50000-${setup.layer.size - 1}`,
    ]);
  });

  it('waits for a slow server, and lets its reader take its time', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { bytesPerSecond: 500_000 };
    let received = 0;
    for await (const chunk of setup.client.blob(setup.repository, setup.layer, { signal: quiet })) {
      if (received === 0) await new Promise((resolve) => setTimeout(resolve, 500));
      received += chunk.length;
    }
    expect(received).toBe(setup.layer.size);
    expect(setup.registry.log.entries).toHaveLength(1);
  });

  it('reads no faster than its reader, and closes the connection when the reader leaves', async () => {
    await using setup = await registrySetup({ image: { layerSizeBytes: 64_000_000 } });
    let first: Buffer | undefined;
    for await (const chunk of setup.client.blob(setup.repository, setup.layer, { signal: quiet })) {
      first = chunk;
      await new Promise((resolve) => setTimeout(resolve, 300));
      break;
    }
    expect(first?.equals(setup.layerBytes.subarray(0, first.length))).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(setup.registry.log.blobBytes()).toBeLessThan(44_000_000);
  });

  it('ends with CANCELLED when aborted, at any time', async () => {
    await using setup = await registrySetup();
    await expect(setup.download({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'CANCELLED' });
    setup.registry.faults = { stallAfterBytes: 1000 };
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    await expect(setup.download({ signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(setup.registry.log.entries).toHaveLength(1);
  });

  it('survives a registry that goes away and comes back', async () => {
    await using setup = await registrySetup({ client: { attemptsMax: 200, timeouts: { idleMs: 2000 } } });
    setup.registry.faults = { stallAfterBytes: 100_000 };
    const download = setup.download();
    setTimeout(async () => {
      await setup.registry.down();
      setup.registry.faults = {};
      await setup.registry.up();
    }, 100);
    expect(digestOf(await download)).toBe(digestOf(setup.layerBytes));
  });

  it('counts what arrived', async () => {
    await using setup = await registrySetup();
    await setup.download();
    expect(setup.seen.bytes.blob).toBe(setup.layer.size);
    expect(setup.seen.requests).toEqual(['blob GET 200']);
  });
});
