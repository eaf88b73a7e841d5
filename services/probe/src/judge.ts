import type { Exchange } from './exchange.ts';
import {
  type Introduction,
  isLegacyVersion,
  isModernVersion,
  readDiscoverResult,
  readInitializeResult,
  readSupportedVersions,
} from './identity.ts';
import type { Reply } from './reply.ts';
import type { Diagnosis, Verdict } from './report.ts';
import type { Opening } from './requests.ts';

/** What one opening request shows. */
export interface Judgement {
  verdict: Verdict;
  diagnosis: Diagnosis | null;
  message: string;
  introduction: Introduction | null;
  code: number | null;
  /**
   * The server understood the message but is of the other era. `versions` are the
   * modern versions it named, empty when it named none.
   */
  otherEra: { versions: string[] } | null;
}

export interface JudgeInput {
  opening: Opening;
  /** For messages, e.g. `POST /mcp/v1`. */
  subject: string;
  exchange: Exchange;
  reply: Reply;
  /** Headers of the caller were sent, so a refusal means that they are wrong. */
  withCredentials: boolean;
  timeoutMs: number;
}

/** The verdict table, from the wire to the meaning; no I/O, nothing remembered. */
export function judge(input: JudgeInput): Judgement {
  const { exchange, subject } = input;
  if (exchange.status === null) return judgeSilence(input);
  const status = exchange.status;
  const answered = `${subject} answered HTTP ${status}`;

  if (status === 401 || status === 403) {
    const key = input.withCredentials;
    const hint = key ? 'the credentials that were sent are not accepted' : 'the server asks for credentials';
    return judged('AuthRequired', key ? 'KeyInvalid' : null, `${answered}: ${hint}`);
  }
  if (status === 429 || (status === 503 && exchange.headers['retry-after'] !== undefined)) {
    return judged('Serving', 'Slow', `${answered}: the server is busy and asks to come back later`);
  }
  if (exchange.tooLong) return judged('Failing', 'WrongProtocol', `${answered} with a reply of more than 64 KiB`);
  if (status < 400 && (status < 200 || status > 299)) return judged('Failing', 'RequestRefused', answered);
  if (status >= 500 && /task group (is|was) not initialized/i.test(exchange.body)) {
    return judged(
      'Failing',
      'SessionManagerDown',
      `${answered}: Task group is not initialized. Make sure to use run().`,
    );
  }
  if (input.reply.kind === 'error') return judgeError(input, input.reply, status, answered);
  if (status >= 400) return judged('Failing', refusal(status), answered);
  return judgeReply(input, answered);
}

function judgeReply(input: JudgeInput, answered: string): Judgement {
  const { exchange, reply, opening, timeoutMs } = input;
  // A client waits for the end of a JSON body, so one that is complete in itself but never ended is no reply to it.
  if (reply.kind === 'result' && exchange.error === null) return judgeResult(opening, reply.result, answered);
  if (exchange.error?.code === 'DEADLINE') {
    return judged('Failing', 'NeverEndingReply', `${answered} but did not finish its reply within ${timeoutMs} ms`);
  }
  if (reply.kind === 'wrong') return judged('Failing', 'WrongProtocol', `${answered} with ${reply.problem}`);
  if (reply.kind === 'result') {
    return judged('Failing', 'WrongProtocol', `${answered} but the connection broke before the end of the reply`);
  }
  return judged('Failing', 'EmptyReply', `${answered} but the body ended without a reply to ${opening.method}`);
}

function judgeResult(opening: Opening, result: unknown, answered: string): Judgement {
  if (opening.era === 'Legacy') {
    const introduction = readInitializeResult(result);
    if (introduction === null) return incomplete(answered, opening, 'protocolVersion, capabilities and serverInfo');
    const unknown = introduction.protocolVersions.find((version) => !isLegacyVersion(version));
    if (unknown !== undefined) {
      const message = `${answered}, and initialize names protocol version ${JSON.stringify(unknown)}, which is none of this era`;
      return judged('Failing', 'VersionMismatch', message);
    }
    return { ...judged('Serving', null, `${introduction.name} answered initialize`), introduction };
  }
  const introduction = readDiscoverResult(result);
  if (introduction === null) return incomplete(answered, opening, 'supportedVersions and capabilities');
  const versions = introduction.protocolVersions.filter(isModernVersion);
  if (versions.length === 0) {
    const message = `${answered}, and server/discover names no version of the modern era`;
    return { ...judged('Failing', 'EraMismatch', message), otherEra: { versions: [] } };
  }
  const name = introduction.name === '' ? 'the server' : introduction.name;
  return { ...judged('Serving', null, `${name} answered server/discover`), introduction };
}

function incomplete(answered: string, opening: Opening, wanted: string): Judgement {
  return judged('Failing', 'WrongProtocol', `${answered} but the result of ${opening.method} lacks one of ${wanted}`);
}

const INTERNAL_ERROR = -32603;

/** -32020, -32021 and -32022 exist only in the modern era; -32601 says that the method is not known. */
function judgeError(
  { opening }: JudgeInput,
  error: Reply & { kind: 'error' },
  status: number,
  answered: string,
): Judgement {
  const said = `${answered} with JSON-RPC error ${error.code}`;
  const modern = error.code <= -32020 && error.code >= -32022;
  const unknownMethod = error.code === -32601;
  // an internal error is a fault of the one era as of the other
  const legacyRefusal = opening.era === 'Modern' && !modern && status < 500 && error.code !== INTERNAL_ERROR;
  const base = { introduction: null, code: error.code };
  if (opening.era === 'Legacy' && (modern || unknownMethod)) {
    const versions = readSupportedVersions(error.data).filter(isModernVersion);
    const message = `${said}: the server does not know ${opening.method}`;
    return { ...base, verdict: 'Failing', diagnosis: 'EraMismatch', message, otherEra: { versions } };
  }
  if (legacyRefusal || (opening.era === 'Modern' && error.code === -32022)) {
    const versions = readSupportedVersions(error.data).filter(isModernVersion);
    const message = `${said} to ${opening.method}: the server does not speak this era or version`;
    return { ...base, verdict: 'Failing', diagnosis: 'EraMismatch', message, otherEra: { versions } };
  }
  const diagnosis = status >= 400 ? refusal(status) : 'WrongProtocol';
  return { ...base, verdict: 'Failing', diagnosis, message: `${said} to ${opening.method}`, otherEra: null };
}

/** A 4xx comes from a process that works and does not take the request: a wrong path, say. */
function refusal(status: number): Diagnosis {
  return status < 500 ? 'RequestRefused' : 'HttpError';
}

/** Nothing came back that is HTTP. */
function judgeSilence({ exchange, subject, timeoutMs }: JudgeInput): Judgement {
  const code = exchange.error?.code ?? 'UNKNOWN';
  const reason = exchange.error?.message ?? 'no answer';
  if (code === 'DEADLINE') {
    return exchange.connected
      ? judged('Unreachable', 'ProcessHung', `${subject} was accepted but not answered within ${timeoutMs} ms`)
      : judged('Unreachable', null, `${subject} found no open connection within ${timeoutMs} ms`);
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return judged('Unknown', 'NameResolution', `the name of the server could not be resolved: ${reason}`);
  }
  if (code === 'ECONNREFUSED') return judged('Unreachable', 'ConnectionRefused', `${subject} was refused: ${reason}`);
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return judged('Unreachable', 'EmptyReply', `${subject}: the connection was closed before any answer`);
  }
  if (code.startsWith('HPE_'))
    return judged('Failing', 'WrongProtocol', `${subject} was answered by something other than HTTP`);
  return judged('Unknown', null, `${subject} could not be sent: ${reason}`);
}

function judged(verdict: Verdict, diagnosis: Diagnosis | null, message: string): Judgement {
  return { verdict, diagnosis, message, introduction: null, code: null, otherEra: null };
}
