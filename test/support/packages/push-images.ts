/**
 * Pushes runnable images of several layers: `push-images.ts URL SIZE_MIB NAME…`, each of four layers of that size. A program, so that it can be
 * run in another network namespace; prints one JSON line for each, with the digests that containerd has after a pull.
 */
import { pushImage } from '../docker-registry/push.ts';
import { contentOf, layeredImage, pushable } from '../node/layered-image.ts';

const [url = '', sizeMiB = '1', ...names] = process.argv.slice(2);

for (const name of names) {
  const image = await layeredImage(name, { layerCount: 4, layerSizeBytes: Number(sizeMiB) * 1024 * 1024 });
  await pushImage({ url, repository: `library/${name}` }, pushable(image));
  process.stdout.write(`${JSON.stringify({ name, content: contentOf(image) })}\n`);
}
