import { cluster } from './choice.ts';

const usage = `usage: npm run cluster -- COMMAND
  up [--yes]       make the cluster, or find that it runs
  down             remove it and all its traces
  status           what runs
  kubeconfig       print the path of its kubeconfig file
  load IMAGE.tar   put an image into its node
CLUSTER=kind or CLUSTER=existing choose another cluster than our own node.`;

const argv = process.argv.slice(2);
const yes = argv.includes('--yes');
const [command, ...rest] = argv.filter((arg) => arg !== '--yes');

try {
  process.exitCode = await main();
} catch (error) {
  for (let one: unknown = error; one !== undefined; one = one instanceof Error ? one.cause : undefined) {
    console.error(one instanceof Error ? one.message : String(one));
  }
  process.exitCode = 1;
}

async function main(): Promise<number> {
  switch (command) {
    case 'up':
      console.error(`The cluster is up. Use it: export KUBECONFIG=${await cluster().up({ yes })}`);
      return 0;
    case 'down':
      await cluster().down({ yes });
      return 0;
    case 'status': {
      const { running, lines } = await cluster().status();
      for (const line of lines) console.log(line);
      return running ? 0 : 3;
    }
    case 'kubeconfig':
      console.log(await cluster().kubeconfigPath());
      return 0;
    case 'load':
      if (rest.length === 0) break;
      for (const archive of rest) await cluster().loadImage(archive);
      return 0;
  }
  console.error(usage);
  return 2;
}
