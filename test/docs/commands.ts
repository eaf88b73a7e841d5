/** Who runs the shell commands of a page, and why some are not run. A page that is not in here fails the unit test. */
import type { Page } from './pages.ts';

export interface Played {
  /** The test that runs all commands of the page but those below, or has its own way to prove them. */
  readonly by: string;
  /** Commands that are not run, with the reason. */
  readonly except?: Readonly<Record<string, string>>;
}

const PUSHED = 'test/e2e/node/images.test.ts pushes to a registry; here the images are in the node already';
const CLIENT = 'a program of others that is not here; test/makers connects the clients that are';
const NO_DOCKER =
  'no Docker where the tests run; test/unit/cluster/cli.test.ts and scripts/images hold the arguments of kind';
const ITSELF = 'is the run itself: a stage of npm test';
const SCRIPTS =
  'npm scripts of this tree: that they exist is checked, what they do is a stage of npm test or takes long';
const ENDED = 'needs a container that has ended';
const METRICS = 'needs metrics-server';
const POSTGRES = 'needs a database: test/e2e/postgres.test.ts runs several replicas, test/crd the change of storage';
const FOREIGN = 'the image is an example: test/e2e/python.test.ts runs a real one';
const CLUSTER_WIDE = 'would take the resource away from everything else in the test cluster';

const README: Played = {
  by: 'test/e2e/node/readme.test.ts',
  except: {
    'npm run demo': ITSELF,
    'npm test': ITSELF,
    'npm run images -- push $REGISTRY': PUSHED,
  },
};
const QUICKSTART: Played = {
  by: 'test/e2e/node/readme.test.ts',
  except: {
    'npm run images -- push $REGISTRY': PUSHED,
    'kind create cluster --name kling': NO_DOCKER,
    'npm run images -- kind --cluster kling': NO_DOCKER,
    'helm install kling-operator charts/kling-operator -n kling-system --create-namespace --set image.registry=localhost --set image.tag=dev --set image.pullPolicy=Never --wait':
      'the same values as every end-to-end test (test/e2e/case.ts)',
    'claude mcp add --transport http kling http://localhost:5510/mcp/v1 --header "Authorization: Bearer $KEY"': CLIENT,
  },
};

const PAGES: Readonly<Record<string, Played>> = {
  'README.md': README,
  'README.zh.md': README,
  'docs/quickstart.md': QUICKSTART,
  'docs/zh/quickstart.md': QUICKSTART,
  'docs/concepts.md': { by: 'test/e2e/node/readme.test.ts' },
  'docs/rbac.md': { by: 'test/crd/rbac.test.ts' },
  'docs/kubectl-kling.md': {
    by: 'test/e2e/plugin.test.ts',
    except: { 'kubectl kling logs studio -n media -f': 'goes on until it is stopped' },
  },
  'docs/how-to/dry-run.md': { by: 'test/e2e/pages.test.ts' },
  'docs/how-to/pause.md': { by: 'test/e2e/pages.test.ts' },
  'docs/how-to/keys.md': { by: 'test/e2e/pages.test.ts' },
  'docs/how-to/spend-limits.md': {
    by: 'test/e2e/pages.test.ts',
    except: {
      'curl -sS http://localhost:5511/api/usage -H "Authorization: Bearer $KEY"':
        'needs the forwarded port of the quickstart; services/api/src/surface.test.ts asks it',
    },
  },
  'docs/how-to/backup.md': { by: 'test/e2e/pages.test.ts' },
  'docs/how-to/uninstall.md': {
    by: 'test/e2e/pages.test.ts',
    except: { 'kubectl delete crd klingapis.klingapi.dev': CLUSTER_WIDE },
  },
  'docs/how-to/another-server.md': {
    by: 'test/e2e/python.test.ts',
    except: {
      'kubectl create secret generic assistant-headers -n media --from-literal=authorization="Bearer $TOKEN"': FOREIGN,
      'kubectl apply -n media -f docs/examples/other-server.yaml': FOREIGN,
      'npx probe http://localhost:5510/mcp/v1 --auth env:KEY --eras Both': 'the quickstart runs it',
    },
  },
  'docs/how-to/several-replicas.md': {
    by: 'test/e2e/postgres.test.ts',
    except: {
      'kubectl create secret generic kling-database -n media --from-literal=url=postgres://kling:PASSWORD@postgres.data.svc:5432/kling':
        POSTGRES,
      'kubectl patch klingapi studio -n media --type=merge -p \'{"spec":{"api":{"replicas":0}}}\'': POSTGRES,
      'kubectl patch klingapi studio -n media --type=merge -p \'{"spec":{"api":{"replicas":2,"storage":{"sqlite":null,"postgres":{"urlSecretRef":{"name":"kling-database","key":"url"}}}}}}\'':
        POSTGRES,
    },
  },
  'charts/kling-operator/README.md': { by: 'test/e2e/node/chart.test.ts' },
  'charts/kustomize/README.md': { by: 'test/e2e/node/kustomize.test.ts' },
  'docs/console.md': { by: 'test/e2e/console.test.ts' },
  'docs/ingress.md': { by: 'test/e2e/ingress.test.ts' },
  'docs/releasing.md': { by: 'test/unit/workflows.test.ts' },
  'docs/upgrading.md': { by: 'test/e2e/node/upgrade.test.ts' },
  'services/api/README.md': { by: 'services/api/src/uploads' },
  'services/sandbox/README.md': { by: 'services/sandbox/src/readme.test.ts' },
  'test/bench/README.md': { by: SCRIPTS },
  'test/chaos/README.md': { by: SCRIPTS },
  'test/cluster/README.md': { by: 'test/cluster/verify-down.ts' },
  'test/fuzz/README.md': { by: SCRIPTS },
};

const RUNBOOK: Played = {
  by: 'test/e2e/pages.test.ts',
  except: {
    'kubectl logs -n media POD -c mcp --previous': ENDED,
    'kubectl logs -n media POD -c mcp --previous --tail=200': ENDED,
    'kubectl top pod -n media -l klingapi.dev/name=studio': METRICS,
  },
};

export const playedOf = (path: string): Played | undefined =>
  path.startsWith('docs/runbooks/') ? RUNBOOK : PAGES[path];

export const playedPages = (): string[] => Object.keys(PAGES);

/** Pages whose commands `play` runs; the others are proved by the tests that they name. */
export const PLAYERS = ['test/e2e/node/readme.test.ts', 'test/e2e/pages.test.ts'];

/** One command a line, without the remark behind it; what ends with a backslash goes on. */
export const commandsOf = (text: string): string[] =>
  text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/\s{2,}#\s.*$/, '').trimEnd())
    .filter((line) => line !== '');

export interface Command {
  readonly heading: string;
  readonly command: string;
}

export const pageCommands = (page: Page): Command[] =>
  page.code
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text, heading }) => commandsOf(text).map((command) => ({ heading, command })));

/** What is run of a page, in order. */
export function playable(page: Page): Command[] {
  const except = playedOf(page.path)?.except ?? {};
  return pageCommands(page).filter(({ command }) => !(command in except));
}
