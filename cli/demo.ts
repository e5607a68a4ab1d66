/** `shoal demo`. */
import type { AddCommand } from './program.ts';

export const addDemo: AddCommand = (program, context) => {
  program
    .command('demo')
    .description('show it at work on this machine: a registry, three nodes, pulls, warming; no root, no containerd')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: true }) => {
      // Loaded here only: no other command waits for the daemon's modules.
      const { demo } = await import('./demo/demo.ts');
      await demo(context, options);
    });
};
