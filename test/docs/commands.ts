/** Who types the shell commands of a page, and why some are not typed. A page that is not in here fails the unit test. */
import type { Page } from './pages.ts';

export interface Played {
  /** The test that types all commands of the page but those below, by `scriptOf` or `scriptsBelow`; none where none can be. */
  readonly by?: string;
  /** The page that has the same commands in another language; they are typed there. */
  readonly like?: string;
  /** Commands that are not typed, with the reason. */
  readonly except?: Readonly<Record<string, string>>;
}

const PUSHED = 'test/e2e/node/images.test.ts pushes to a registry; here the images are in the node already';
const CLIENT = 'a program of others that is not here; test/makers connects the clients that are';
const NO_DOCKER =
  'no Docker where the tests run; test/unit/cluster/cli.test.ts and scripts/images hold the arguments of kind';
const ITSELF = 'is the run itself: a stage of npm test';
const MEASURED =
  'minutes or more on a quiet machine, into a file of the tree; test/unit/docs.test.ts holds that the script is there';
const ENDED = 'needs a container that has ended';
const METRICS = 'needs metrics-server';
const CLUSTER_WIDE = 'would take the resource away from everything else in the test cluster';
const SIGNED =
  'asks for what only the workflow of a release can sign; test/unit/workflows.test.ts holds the identity that is asked for';

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
    'cosign verify ghcr.io/OWNER/charts/kling-operator:VERSION --certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-identity https://github.com/OWNER/REPOSITORY/.github/workflows/release.yml@refs/tags/vVERSION':
      SIGNED,
    'helm install kling-operator oci://ghcr.io/OWNER/charts/kling-operator --version VERSION -n kling-system --create-namespace --wait':
      'needs what was published; test/e2e/node/release.test.ts puts such a chart into a registry and renders it from there',
    'claude mcp add --transport http kling http://localhost:5510/mcp/v1 --header "Authorization: Bearer $KEY"': CLIENT,
  },
};

/** By page, or by folder. */
const PAGES: Readonly<Record<string, Played>> = {
  'README.md': README,
  'README.zh.md': { ...README, like: 'README.md' },
  'docs/quickstart.md': QUICKSTART,
  'docs/zh/quickstart.md': { ...QUICKSTART, like: 'docs/quickstart.md' },
  'docs/concepts.md': { by: 'test/e2e/node/readme.test.ts' },
  'docs/console.md': { by: 'test/e2e/console.test.ts' },
  'docs/ingress.md': { by: 'test/e2e/ingress.test.ts' },
  'docs/kubectl-kling.md': {
    by: 'test/e2e/plugin.test.ts',
    except: {
      'npm run build': 'takes a minute of all cores; docs/concepts.md has it too, and there it is typed',
      'kubectl krew install --manifest-url=https://github.com/OWNER/REPOSITORY/releases/download/vVERSION/kling.yaml':
        'needs what was published; scripts/release/plugin-archive.test.ts has krew install the same from this machine',
      'npm install -g https://github.com/OWNER/REPOSITORY/releases/download/vVERSION/kubectl-kling-VERSION.tar.gz':
        'likewise, and npm',
      'kubectl kling logs studio -n media -f': 'goes on until it is stopped',
    },
  },
  'docs/rbac.md': { by: 'test/crd/rbac.test.ts' },
  'docs/monitoring.md': { by: 'test/e2e/node/prometheus.test.ts' },
  'docs/releasing.md': {
    by: 'test/e2e/node/release.test.ts',
    except: {
      'cosign verify ghcr.io/OWNER/kling-operator:VERSION --certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-identity https://github.com/OWNER/REPOSITORY/.github/workflows/release.yml@refs/tags/vVERSION':
        SIGNED,
      'gh attestation verify oci://ghcr.io/OWNER/kling-operator:VERSION --repo OWNER/REPOSITORY': SIGNED,
      'cosign verify-attestation --type cyclonedx ghcr.io/OWNER/kling-operator:VERSION --certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-identity https://github.com/OWNER/REPOSITORY/.github/workflows/release.yml@refs/tags/vVERSION':
        SIGNED,
      'cosign verify-blob --bundle SHA256SUMS.sigstore.json SHA256SUMS --certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-identity https://github.com/OWNER/REPOSITORY/.github/workflows/release.yml@refs/tags/vVERSION':
        SIGNED,
      'npm run images -- push localhost:5000/again':
        'test/e2e/node/images.test.ts pushes to a registry, test/e2e/node/release.test.ts builds from another folder and compares',
    },
  },
  'docs/upgrading.md': {
    by: 'test/e2e/node/upgrade.test.ts',
    except: {
      'helm upgrade kling-operator oci://ghcr.io/OWNER/charts/kling-operator --version OLDER -n kling-system --reset-then-reuse-values --set crds.install=false':
        'test/crd/going-back.test.ts types it with Helm 3 and 4, on a definition of its own',
    },
  },
  'docs/runbooks/': {
    by: 'test/e2e/pages.test.ts',
    except: {
      'kubectl logs -n media POD -c mcp --previous': ENDED,
      'kubectl logs -n media POD -c mcp --previous --tail=200': ENDED,
      'kubectl top pod -n media -l klingapi.dev/name=studio': METRICS,
    },
  },
  'docs/how-to/dry-run.md': { by: 'test/e2e/pages.test.ts' },
  'docs/how-to/pause.md': { by: 'test/e2e/pages.test.ts' },
  'docs/how-to/keys.md': { by: 'test/e2e/pages.test.ts' },
  'docs/how-to/spend-limits.md': { by: 'test/e2e/pages.test.ts' },
  'docs/how-to/backup.md': { by: 'test/e2e/pages.test.ts' },
  'docs/how-to/uninstall.md': {
    by: 'test/e2e/pages.test.ts',
    except: { 'kubectl delete crd klingapis.klingapi.dev': CLUSTER_WIDE },
  },
  'docs/how-to/another-server.md': {
    by: 'test/e2e/python.test.ts',
    except: {
      'kubectl kling probe http://localhost:5510/mcp/v1 --auth env:KEY --eras Both':
        'the quickstart types it without --eras, which services/probe/src/command.test.ts asks for',
    },
  },
  'docs/how-to/several-replicas.md': { by: 'test/e2e/postgres.test.ts' },
  'charts/kling-operator/README.md': {
    by: 'test/e2e/node/chart.test.ts',
    except: {
      'npm run images -- push $REGISTRY': PUSHED,
      'kubectl delete crd klingapis.klingapi.dev': CLUSTER_WIDE,
    },
  },
  'charts/kustomize/README.md': { by: 'test/e2e/node/kustomize.test.ts' },
  'services/api/README.md': { by: 'services/api/src/readme.test.ts' },
  'services/sandbox/README.md': {
    by: 'services/sandbox/src/readme.test.ts',
    except: { 'npm run sandbox': 'goes on until it is stopped; the test starts the program that it starts' },
  },
  'test/bench/README.md': {
    except: { 'npm run bench': MEASURED, 'npm run bench -- creates': MEASURED },
  },
  'test/chaos/README.md': {
    except: { 'npm run chaos': MEASURED, 'npm run chaos -- 60': MEASURED },
  },
  'test/cluster/README.md': {
    by: 'test/cluster/node.test.ts',
    except: {
      'npm run cluster -- down': 'test/cluster/verify-down.ts is a stage of npm test, after all that needs the cluster',
    },
  },
  'test/fuzz/README.md': {
    except: { 'npm test -- fuzz': ITSELF, 'npm run fuzz': MEASURED, 'npm run fuzz -- 60 4711': MEASURED },
  },
};

export const playedOf = (path: string): Played | undefined =>
  PAGES[path] ?? Object.entries(PAGES).find(([folder]) => folder.endsWith('/') && path.startsWith(folder))?.[1];

/** Each page or folder that is named. */
export const playedPages: readonly (readonly [string, Played])[] = Object.entries(PAGES);

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

/** What is typed of a page, in order. */
export function playable(page: Page): Command[] {
  const except = playedOf(page.path)?.except ?? {};
  return pageCommands(page).filter(({ command }) => !(command in except));
}
