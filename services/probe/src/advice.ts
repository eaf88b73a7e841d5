import type { HandshakeResult } from './report.ts';

/** For a person: what the verdict means, and what to do about it. */
export interface Advice {
  wrong: string;
  todo: string;
}

type Words = Readonly<Record<string, Advice>>;

const BY_DIAGNOSIS: Words = {
  SessionManagerDown: {
    wrong:
      'The HTTP server runs, but the session manager behind the MCP route is not running, so every MCP request fails while health checks of other routes stay green.',
    todo: 'Restart the process. If it fails from the start, the application that mounts the MCP app does not run its lifespan (session_manager.run()). If it fails again soon after each restart, a client breaks it: upgrade the Python package mcp to 1.10 or newer.',
  },
  HttpError: {
    wrong: 'The server fails inside before it can answer in MCP.',
    todo: 'Read the log of the server at the time of this request. If it does not recover by itself, restart it.',
  },
  RequestRefused: {
    wrong: 'The server works, but does not take this request at this address.',
    todo: 'Check path and Host: the path of the MCP endpoint (often /mcp, with or without a slash at the end), and a list of allowed hosts (--host).',
  },
  WrongProtocol: {
    wrong: 'Something answers at this address, but it does not speak MCP: another service, a login page or a proxy.',
    todo: 'Check the URL: port, path, and what stands in front of the server. The reply above shows who answered.',
  },
  VersionMismatch: {
    wrong: 'The server answered initialize with a protocol version that does not belong to it.',
    todo: 'Upgrade the server; clients will refuse this answer as well.',
  },
  EraMismatch: {
    wrong: 'The server speaks MCP, but not in the era that was asked for.',
    todo: 'Leave out --eras to take either, or upgrade the server to one that speaks both eras.',
  },
  ProcessHung: {
    wrong: 'The connection is accepted, but no answer comes: the process hangs, or it is overloaded or stopped.',
    todo: 'Look at the CPU of the process and at what it waits for; a larger --timeout tells hung from slow. If it does not recover, restart it.',
  },
  NeverEndingReply: {
    wrong: 'A reply begins and never ends, so clients wait for ever.',
    todo: 'Look at the process and at proxies that hold back a stream. If it does not recover, restart it.',
  },
  ConnectionRefused: {
    wrong: 'Nothing listens at this address and port.',
    todo: 'Check that the server runs, its port, and that it listens on an address that can be reached from here (not 127.0.0.1 alone).',
  },
  Slow: {
    wrong: 'The server works, but is busy or slow.',
    todo: 'Try again later; if it stays so, give it more CPU or replicas, or look for what it waits for.',
  },
  KeyInvalid: {
    wrong: 'The server does not accept the credentials that were sent. Whether MCP works behind them is not known.',
    todo: 'Check --auth or --header: an expired token, a key of another environment, a missing scope.',
  },
  EmptyReply: {
    wrong: 'The server ends the exchange without a reply to it.',
    todo: 'Read the log of the server; a process that dies while it answers and a proxy that cuts connections look like this.',
  },
  NameResolution: {
    wrong: 'The name of the server could not be resolved from here. That says nothing about the server.',
    todo: 'Check the name, and the DNS of this machine.',
  },
};

const CERTIFICATE: Advice = {
  wrong: 'The certificate of the server is not trusted from here, so nothing was sent to it.',
  todo: 'Check the certificate: expired, for another name, or signed by an authority of your own (then NODE_EXTRA_CA_CERTS names its file).',
};
const CERTIFICATE_ERRORS = /CERT|SIGNED|^ERR_TLS_|UNABLE_TO_VERIFY/;

const BY_VERDICT: Words = {
  AuthRequired: {
    wrong: 'The server asks for credentials first. Whether MCP works behind them is not known.',
    todo: 'Give credentials with --auth (a bearer token) or --header.',
  },
  Failing: {
    wrong: 'The server answers, but not in MCP.',
    todo: 'Read the log of the server.',
  },
  Unreachable: {
    wrong: 'No connection could be opened in time.',
    todo: 'Check the address and the port, and what may drop packets on the way: a firewall, a network policy, a node that is gone.',
  },
  Unknown: {
    wrong: 'The request could not be sent from here. That says nothing about the server.',
    todo: 'The message above says what failed; check network and proxy of this machine.',
  },
};

/** Null where nothing is wrong. */
export function adviceFor({ verdict, diagnosis, evidence }: HandshakeResult): Advice | null {
  if (verdict === 'Serving' && diagnosis === null) return null;
  if (evidence.status === null && evidence.error !== null && CERTIFICATE_ERRORS.test(evidence.error))
    return CERTIFICATE;
  if (evidence.error?.startsWith('HPE_') === true || evidence.error === 'EPROTO') {
    return {
      wrong: 'What answers does not speak HTTP, or speaks https where http was expected (or the other way round).',
      todo: 'Check the scheme (http or https) and the port.',
    };
  }
  return (diagnosis === null ? undefined : BY_DIAGNOSIS[diagnosis]) ?? BY_VERDICT[verdict] ?? null;
}
