/** shoal.toml of one node of the fleet. Pure. */
import { join } from 'node:path';
import type { Machine } from './address-plan.ts';

export const MESH_PORT = 7946;
export const PEER_PORT = 7948;
export const ADMIN_PORT = 7950;

export interface FleetNodeSettings {
  readonly machine: Machine;
  /** Absolute; everything of the node lies below it. */
  readonly directory: string;
  /** Whom it asks to be let in. */
  readonly join: readonly Machine[];
  readonly preset: string;
  /** Holds the mesh's keyring. */
  readonly keyFile: string;
  /** Holds the token for the admin address, which is not on loopback. */
  readonly tokenFile: string;
  readonly registryHost: string;
  /** How long a download without a source goes on, as "60s". */
  readonly giveUp: string;
  readonly logLevel: string;
}

/** Strings are written as JSON, which for what stands here is TOML as well. */
export function fleetNodeConfig(settings: FleetNodeSettings): string {
  const { machine, directory, registryHost } = settings;
  const text = JSON.stringify;
  return [
    '[node]',
    `name = ${text(machine.name)}`,
    `data_dir = ${text(join(directory, 'data'))}`,
    '[content]',
    'socket = ""',
    `root = ${text(join(directory, 'content'))}`,
    'containerd = ""',
    `claim_give_up = ${text(settings.giveUp)}`,
    '[store]',
    'capacity = "16GiB"',
    'min_free = "64MiB"',
    '[mesh]',
    'enabled = true',
    `bind = ${text(`${machine.address}:${MESH_PORT}`)}`,
    `join = ${text(settings.join.map(({ address }) => `${address}:${MESH_PORT}`))}`,
    `key_file = ${text(settings.keyFile)}`,
    `preset = ${text(settings.preset)}`,
    '[peer]',
    `listen = ${text(`${machine.address}:${PEER_PORT}`)}`,
    '[mirror]',
    'listen = ""',
    '[admin]',
    `listen = ${text(`${machine.watchAddress}:${ADMIN_PORT}`)}`,
    `token_file = ${text(settings.tokenFile)}`,
    '[upstream]',
    // The machine's own credentials are no part of this.
    `docker_config = ${text(join(directory, 'docker.json'))}`,
    '[[upstream.registry]]',
    `host = ${text(registryHost)}`,
    `endpoint = ${text(`http://${registryHost}`)}`,
    '[log]',
    `level = ${text(settings.logLevel)}`,
    'format = "json"',
    '',
  ].join('\n');
}
