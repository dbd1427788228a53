import type { Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";
import type { SecretBox } from "../../secrets.js";
import { ADD_EVENTS, eventsArgument } from "../events/add-events.js";
import { addEventsIn } from "../events/change-field.js";
import type { NewEvent } from "../events/event-record.js";
import { certificateSchema, type Certificate } from "./certificate.js";

export interface ReadCertificates {
  readonly certificates: readonly Certificate[];
  /** Those that cannot be opened: a later version may have written them, or another key has sealed them. */
  readonly unreadable: readonly string[];
}

/** Certificates and answers to an authority's challenges, in Redis: written by the server, followed by every proxy by their revision. */
export class Certificates {
  /** `box`: `certificateBox`. */
  constructor(
    private readonly redis: Database,
    private readonly box: SecretBox,
  ) {}

  async read(): Promise<ReadCertificates> {
    return readCertificates(this.redis, this.box);
  }

  /** Adds one in the place of others, in one step. Returns the revision. */
  async put(
    certificate: Certificate,
    replaced: readonly string[],
    events: readonly NewEvent[],
  ): Promise<number> {
    const { id } = certificate;
    const sealed = this.box.seal(JSON.stringify(certificateSchema.parse(certificate)), contextOf(id));
    return this.change(
      [[id, sealed]],
      replaced.filter((other) => other !== id),
      events,
    );
  }

  /** Returns the revision. */
  async remove(ids: readonly string[], events: readonly NewEvent[]): Promise<number> {
    return this.change([], ids, events);
  }

  /** Events of what was not done. */
  async tell(events: readonly NewEvent[]): Promise<void> {
    const batch = this.redis.multi();
    addEventsIn(batch, events);
    await batch.exec();
  }

  /** Sets the answer that proxies give to a request for a token (RFC 8555, 8.3). Returns the revision. */
  async answerChallenge(token: string, answer: string): Promise<number> {
    return this.changeIn(keys.challenges, [[token, answer]], [], []);
  }

  async withdrawChallenges(tokens: readonly string[]): Promise<number> {
    return this.changeIn(keys.challenges, [], tokens, []);
  }

  private async change(
    set: readonly (readonly [field: string, text: string])[],
    unset: readonly string[],
    events: readonly NewEvent[],
  ): Promise<number> {
    return this.changeIn(keys.certificates, set, unset, events);
  }

  private async changeIn(
    key: string,
    set: readonly (readonly [field: string, text: string])[],
    unset: readonly string[],
    events: readonly NewEvent[],
  ): Promise<number> {
    const lists = [key, keys.certificatesRevision, keys.events];
    if (key === keys.certificates) lists.push(keys.certificatesChanged);
    const fields = [...unset, ...set.flat()];
    const answer = await this.redis.eval(
      CHANGE,
      ...[lists.length, ...lists, keys.routesChannel, eventsArgument(events), String(unset.length)],
      ...fields,
    );
    return Number(answer);
  }
}

/** All of them, by id. `box`: `certificateBox`; without one, none can be opened. */
export async function readCertificates(
  redis: Database,
  box: SecretBox | undefined,
): Promise<ReadCertificates> {
  const sealed = Object.entries(await redis.hgetall(keys.certificates));
  const certificates: Certificate[] = [];
  const unreadable: string[] = [];
  for (const [id, text] of sealed.sort(([a], [b]) => a.localeCompare(b))) {
    try {
      if (box === undefined) throw new Error("no key");
      certificates.push(certificateSchema.parse(JSON.parse(box.open(text, contextOf(id)))));
    } catch {
      unreadable.push(id);
    }
  }
  return { certificates, unreadable };
}

/** Token → the answer that proxies give to a request for it. */
export async function challengeAnswers(redis: Database): Promise<ReadonlyMap<string, string>> {
  return new Map(Object.entries(await redis.hgetall(keys.challenges)));
}

export interface CertificateRevisions {
  /** Of the last change of certificates or answers; 0: there was none. */
  readonly revision: number;
  /** Of the last change of certificates. */
  readonly changed: number;
}

export async function certificateRevisions(redis: Database): Promise<CertificateRevisions> {
  const found = await redis.mget(keys.certificatesRevision, keys.certificatesChanged);
  const [revision = 0, changed = 0] = found.map((text) => Number(text ?? 0));
  return { revision, changed };
}

function contextOf(id: string): string {
  return `certificate:${id}`;
}

/**
 * KEYS: the hash, the revision, events stream, for certificates the revision of their last change. ARGV: channel, the events, how many fields go, these, then field, text, …. Answer:
 * the revision.
 */
const CHANGE = `${ADD_EVENTS}
local gone = tonumber(ARGV[3])
for i = 4, 3 + gone do redis.call('HDEL', KEYS[1], ARGV[i]) end
for i = 4 + gone, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
local revision = redis.call('INCR', KEYS[2])
if KEYS[4] then redis.call('SET', KEYS[4], revision) end
addEvents(KEYS[3], ARGV[2])
redis.call('PUBLISH', ARGV[1], revision)
return revision`;
