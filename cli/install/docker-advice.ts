/** Docker's two ways to this node, and which of them fits this machine. Pure. */

/** `mirror`: registry-mirrors in front of docker.io. `containerd`: images in containerd, whose content store is the plugin. */
export type DockerWay = 'mirror' | 'containerd';

export interface DockerFacts {
  readonly way: DockerWay;
  /** Whether Docker keeps its images in containerd already; undefined when its file does not say. */
  readonly keepsInContainerd: boolean | undefined;
  /** Whether containerd's content store is the plugin. */
  readonly hasPlugin: boolean;
}

const DOCKER_IO_ONLY = 'Docker asks a mirror for docker.io only';
const TO_CONTAINERD =
  '"shoal install docker --through containerd" has Docker keep its images in containerd (features.containerd-snapshotter, the default of new Docker 29 installations)';

/** What should be known about the way that was chosen, sentence by sentence. */
export function dockerAdvice({ way, keepsInContainerd, hasPlugin }: DockerFacts): string[] {
  if (way === 'containerd') return containerdAdvice(keepsInContainerd === true);
  if (!hasPlugin) {
    return [
      `${DOCKER_IO_ONLY}. That fits a Docker that keeps images by itself. For every registry, install the plugin ("shoal install containerd"), then ${TO_CONTAINERD}`,
    ];
  }
  return keepsInContainerd === true
    ? [
        `${DOCKER_IO_ONLY}, and it keeps its images in containerd, whose content store is the plugin: every registry goes through that already. The mirror adds docker.io's tags and manifests, no more`,
      ]
    : [`${DOCKER_IO_ONLY}. containerd has the plugin here, so the other way fits better: ${TO_CONTAINERD}`];
}

function containerdAdvice(isSoAlready: boolean): string[] {
  const fits =
    'Every registry goes through the plugin that way, with the credentials of "docker login". It fits where dockerd uses the system\'s containerd, as packages have it';
  return isSoAlready
    ? [fits]
    : [
        fits,
        'Images that Docker has now stay where they are and are not seen there: pull them again, or "docker save" before and "docker load" after. Docker 20.10 does not know the feature; tried with Docker 28',
      ];
}
